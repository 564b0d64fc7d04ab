package shell

import (
	"os/exec"
	"strings"
	"testing"

	"napback/internal/cli"
)

func TestWordsComeBackFromAShell(t *testing.T) {
	words := []string{"plain", "", "two words", "it's", "$HOME `x` \"y\"", "new\nline", "*?[", "-o", "\xff\x80", "~", "a=b", "#",
		"\x1b[2J it's \u009b31m\x9b \u202eevil\u2028 \t\x7f %s \\", "\ufffd \x1b", "\x1b\nend\n"}
	for line := range strings.SplitSeq(Quote(words...), "\n") {
		if cli.Safe(line) != strings.ReplaceAll(line, "\ufffd", "?") {
			t.Errorf("a terminal would obey %q", line)
		}
	}
	for what, one := range map[string]func(string) string{"Quote": func(w string) string { return Quote(w) }, "Word": Word, "Literal": Literal} {
		line := "printf '%s\\0'"
		for _, w := range words {
			line += " " + one(w)
		}
		got, err := exec.Command("/bin/sh", "-c", line).Output()
		if err != nil || string(got) != strings.Join(words, "\x00")+"\x00" {
			t.Errorf("%s: a shell read %q, %v", what, got, err)
		}
	}
}

func TestOnlyWhatNeedsQuotesHasThem(t *testing.T) {
	for _, c := range []struct{ word, quote, bare, literal string }{
		{"/a-b_c.d:e=f,g+h@i%1", "/a-b_c.d:e=f,g+h@i%1", "/a-b_c.d:e=f,g+h@i%1", "'/a-b_c.d:e=f,g+h@i%1'"},
		{"", "''", "''", "''"},
		{"it's", `'it'\''s'`, `'it'\''s'`, `'it'\''s'`},
		{"\x1b", `''"$(printf '\033')"''`, "'\x1b'", "'\x1b'"},
		{"a\x00b", "'a?b'", "'a\x00b'", "'a\x00b'"},
		{"é", "'é'", "'é'", "'é'"},
	} {
		if q, w, l := Quote(c.word), Word(c.word), Literal(c.word); q != c.quote || w != c.bare || l != c.literal {
			t.Errorf("%q: %s, %s and %s", c.word, q, w, l)
		}
	}
	if got := Quote("tar", "-c", "a b"); got != "tar -c 'a b'" {
		t.Errorf("got %s", got)
	}
}

func TestSplitReadsWhatAShellReads(t *testing.T) {
	for _, text := range []string{
		"", " ", "a", " a  b\t c ", `'a b' "c d" e\ f`, `a'b'"c"\d`, `'' "" a`, `'it'\''s' "say \"hi\""`, `"a\b \\ \x"`, `'\' "'" '"'`,
		"a\\\nb", "a \\\n b", "\"a\\\nb\"", "--host=db --user='o b'", "\\'a",
	} {
		want, err := exec.Command("/bin/sh", "-c", "printf '%s\\0' x "+text).Output()
		if err != nil {
			t.Fatal(err)
		}
		words, err := Split(text)
		if got := strings.Join(append([]string{"x"}, words...), "\x00") + "\x00"; err != nil || got != string(want) {
			t.Errorf("%q: %q, %v; a shell reads %q", text, got, err, want)
		}
	}
	for _, text := range []string{"'a", `a "b`, `a\`, `"a\`} {
		if words, err := Split(text); err == nil {
			t.Errorf("%q: %q", text, words)
		}
	}
}
