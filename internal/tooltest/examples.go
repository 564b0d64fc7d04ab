package tooltest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"napback/internal/storetest"
)

// RunExamples runs the commands in the section EXAMPLES of a page of man/, each
// as a reader sees it, in the order of the page and in the directory dir. It
// returns what they print. env is their environment; change, if not nil, makes
// the paths of a real system those of the test. A command that fails, also in the
// middle of a pipe, fails the test.
func RunExamples(t *testing.T, page, dir string, env []string, change func(command string) string) []string {
	t.Helper()
	var printed []string
	for i, command := range examples(t, page) {
		t.Run(fmt.Sprint(page, " ", i+1), func(t *testing.T) {
			if change != nil {
				command = change(command)
			}
			cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", command)
			cmd.Dir, cmd.Env = dir, env
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s\n%v: %s", command, err, out)
			}
			printed = append(printed, string(out))
		})
	}
	return printed
}

// examples returns the commands of a page: a line of .Dl or a block of .Bd each.
func examples(t *testing.T, page string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(storetest.Root(t), "man", page))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n.Sh EXAMPLES\n")
	section, _, _ = strings.Cut(section, "\n.Sh ")
	plain := strings.NewReplacer(`\e`, `\`, `\(aq`, `'`, `\-`, `-`, `\&`, ``)
	var commands []string
	for _, m := range regexp.MustCompile(`(?m)^\.Dl (.*)$|(?s:^\.Bd -literal -offset indent\n(.*?)^\.Ed$)`).FindAllStringSubmatch(section, -1) {
		commands = append(commands, plain.Replace(m[1]+m[2]))
	}
	if len(commands) == 0 {
		t.Errorf("%s has no examples", page)
	}
	return commands
}
