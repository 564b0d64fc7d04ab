package cli

import (
	"bytes"
	"testing"
)

var testSyntax = Syntax{
	Flags: []Flag{
		{Names: []string{"--config", "-c"}, Value: "FILE", Help: "Read FILE. It is obeyed."},
		{Names: []string{"--when"}, Value: "WHEN", Values: func(t Typed) []Candidate {
			return []Candidate{{Word: "always"}, {Word: "never " + t.Values["--config"][0]}}
		}},
		{Names: []string{"--force", "-f"}},
	},
	Commands: []Command{{Name: "list", Syntax: Syntax{
		Flags: []Flag{{Names: []string{"--json"}}},
		Args: func(t Typed) []Candidate {
			return []Candidate{{Word: "a\x1b[2J"}, {Word: "job\nrm"}, {Word: ""}, {"home", "of\x07 people"}, {Word: "before:" + t.Before[0]}}
		},
	}}},
}

func TestAShellGetsCandidates(t *testing.T) {
	for _, c := range []struct {
		want  string
		words []string
	}{
		{"list\t\n", []string{"l"}},
		{"list\t\n", nil},
		{"--config\tRead FILE\n--when\t\n--force\t\n", []string{"--"}},
		{":files\n", []string{"-c", ""}},
		{":files\n", []string{"-fc", "x"}},
		{":files\n", []string{"--config=x"}},
		{":files\n", []string{"-f", "--", "--"}},
		{"always\t\n", []string{"-c", "x", "--when", "a"}},
		{"always\t\nnever y\t\n", []string{"--config", "=", "y", "--when", "="}},
		{"--when=always\t\n", []string{"-c", "x", "--when=a"}},
		{"", []string{"--force=a"}},
		{"", []string{"--absent=a"}},
		{"--json\t\n", []string{"list", "-"}},
		{"home\tof? people\nbefore:web\t\n", []string{"web", "list", ""}},
	} {
		var out bytes.Buffer
		done, err := Complete("tool", append([]string{"--complete"}, c.words...), Streams{Out: &out}, testSyntax)
		if got := out.String(); !done || err != nil || got != c.want {
			t.Errorf("%q: %v, %v\n%q instead of\n%q", c.words, done, err, got, c.want)
		}
	}
}

func TestWhatIsNotAQuestionIsAnOrder(t *testing.T) {
	for _, args := range [][]string{{}, {"list", "--complete"}, {"--completed"}, {"--completions=bash"}} {
		var out bytes.Buffer
		if done, err := Complete("tool", args, Streams{Out: &out}, testSyntax); done || err != nil || out.Len() > 0 {
			t.Errorf("%q: %v, %v, %q", args, done, err, out.String())
		}
	}
}
