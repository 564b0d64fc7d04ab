package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestSafeStopsWhatATerminalObeys(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"plain äöü 漢字 😀":        "plain äöü 漢字 😀",
		"a\x1b[31mred":          "a?[31mred",
		"a\nb\rc\td\x00e\x7f":   "a?b?c?d?e?",
		"c1 \u009b31m \u0085":   "c1 ?31m ?",
		"\u202egnp.exe\u202c":   "?gnp.exe?",
		"\u2066x\u2069\u200f":   "?x??",
		"\u061c":                "?",
		"line\u2028para\u2029.": "line?para?.",
		"bad \xff\xfe utf-8":    "bad ?? utf-8",
	} {
		if got := Safe(in); got != want {
			t.Errorf("Safe(%q) = %q, want %q", in, got, want)
		}
	}
}

const hostile = "a\x1b[2J\u009b31m\x07\u202eb\u2028c\x7f"

func TestErrorsHintsAndNotesAreSafe(t *testing.T) {
	var b strings.Builder
	err := fmt.Errorf("read: %w", errors.Join(errors.New(hostile), errors.New("second")))
	PrintError(&b, "tool", WithHint(err, "try %s\nnow", hostile))
	log := &Log{Tool: "tool", W: &b, Level: 2}
	log.Warnf("%s\n", hostile)
	log.Debugf("x\ny")
	want := `tool: error: read: a?[2J?31m??b?c?; second
tool: hint: try a?[2J?31m??b?c?; now
tool: warning: a?[2J?31m??b?c?
tool: debug: x; y
`
	if b.String() != want {
		t.Errorf("got\n%q\nwant\n%q", b.String(), want)
	}
}

func TestSafeJSONChangesNoValue(t *testing.T) {
	var b strings.Builder
	in := map[string]string{hostile: hostile + "\n\t\"\\ äöü 😀 \ufffd"}
	if err := json.NewEncoder(SafeJSON(&b)).Encode(in); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if Safe(strings.ReplaceAll(text, "\ufffd", "")) != strings.ReplaceAll(text, "\ufffd", "") {
		t.Errorf("raw: %q", text)
	}
	var out map[string]string
	if err := json.Unmarshal([]byte(text), &out); err != nil || out[hostile] != in[hostile] {
		t.Errorf("%q came back as %q (%v)", in, out, err)
	}
}
