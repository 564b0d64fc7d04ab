package cli

import "testing"

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
