package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScanCutsLinesIntoWords(t *testing.T) {
	long := strings.Repeat("x", 1<<19)
	for _, c := range []struct{ text, want string }{
		{"", ""},
		{"\n \t\n#\n # x\n", ""},
		{"a b", "1:a|b"},
		{"a\tb  c\n", "1:a|b|c"},
		{"\ufeffa b\r\n\r\nc\r\n", "1:a|b 3:c"},
		{"a b # c d", "1:a|b"},
		{"a b#c", "1:a|b#c"},
		{"a '#b' \"#c\"#d", "!1"},
		{"a '#b' \"#c\" #d", "1:a|#b|#c"},
		{`a "b c" 'd "e"' "f 'g'"`, `1:a|b c|d "e"|f 'g'`},
		{`a "b\"c\\d\e" 'f\'g\"'`, `1:a|b"c\d\e|f'g\"`},
		{`a b\c \d`, `1:a|b\c|\d`},
		{`a it's b"c`, `1:a|it's|b"c`},
		{`a ""`, `1:a|`},
		{"a \\\n  b \\\n# c\nd", "1:a|b 4:d"},
		{"a b\\\nc\nd", "1:a|bc 3:d"},
		{"a 'b\\\nc'\\\n d", "1:a|bc|d"},
		{"a b\\\r\nc", "1:a|bc"},
		{"# a comment that ends with \\\na b", "2:a|b"},
		{"a b # so does this \\\nc", "1:a|b 2:c"},
		{"a b\\", "1:a|b"},
		{"<D />", "1<D|/"},
		{"<D / >", "1<D|/"},
		{"  < D  /x>  # y", "1<D|/x"},
		{"<D /a>b>", "1<D|/a>b"},
		{`<D "/a b">`, "1<D|/a b"},
		{`<D "/a >" >`, "1<D|/a >"},
		{"<D \\\n/a>", "1<D|/a"},
		{"</D>", "1/D"},
		{"</ D >\n", "1/D"},
		{"a >", "1:a|>"},
		{`a "b">`, "!1"},
		{"a " + long, "1:a|" + long},
	} {
		var got []string
		lines, _ := scan([]byte(c.text), func(line int, format string, args ...any) { got = append(got, fmt.Sprint("!", line)) })
		for _, l := range lines {
			sign := map[tagKind]string{noTag: ":", openTag: "<", closeTag: "/"}[l.block]
			got = append(got, fmt.Sprint(l.number, sign, strings.Join(l.words, "|")))
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%q: %s", c.text, diff)
		}
	}
}
