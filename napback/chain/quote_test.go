//go:build unix

package chain

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"napback/internal/shell"
)

// A shell reads Lines as it reads String, and all but words that are wider fit.
func TestLinesFitAndMeanTheSame(t *testing.T) {
	const wide = "wider than any line can be, with 'quotes', a | and a \\ that break nothing, whatever else is in it"
	print := Stage{Path: "printf", Args: []string{"%s.", wide, "a b", "|", "\\", "", "--", "-x"}}
	for n := range 30 {
		print.Args = append(print.Args, "--option-"+strings.Repeat("x", n), strings.Repeat("y", n))
	}
	c := Chain{Stages: []Stage{print, {Path: "cat"}, {Path: "sed", Args: []string{"-e", "s/x/&/g", "-e", "p"}}}}
	said := func(text string) string {
		out, err := exec.Command("sh", "-ec", text).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s\n%s", err, out, text)
		}
		return string(out)
	}
	lines := c.Lines()
	if one, several := said(c.String()), said(lines); one != several || !strings.Contains(one, wide) {
		t.Errorf("%q\n%q\n%s", one, several, lines)
	}
	for line := range strings.Lines(lines) {
		if n := utf8.RuneCountInString(line); n > 80 && !strings.Contains(line, shell.Quote(wide)) {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	if strings.Count(lines, " \\\n  | ") != len(c.Stages)-1 {
		t.Errorf("each stage begins a line:\n%s", lines)
	}
}
