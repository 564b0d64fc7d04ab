package cli

import (
	"embed"
	"io"
	"slices"
	"strings"
)

// Syntax is what a command line can hold, as far as shells complete it.
type Syntax struct {
	Flags    []Flag
	Commands []Command
	// Args tells what the next argument could be; nil if nobody can tell.
	Args func(Typed) []Candidate
}

// Command is a sub-command.
type Command struct {
	Name, Help string
	Syntax
}

// Flag is an option.
type Flag struct {
	Names []string // with their dashes
	Help  string
	Value string // what it takes, as the help calls it; "" if nothing
	// Values tells what that could be. Without it FILE and DIR are files.
	Values func(Typed) []Candidate
}

// Typed is what stands before the word that is completed.
type Typed struct {
	Before []string            // arguments before the sub-command
	Args   []string            // arguments after it
	Values map[string][]string // of options, by the first of their names
}

// Candidate is what a word could become.
type Candidate struct{ Word, Help string }

// Files stands for all that the shell itself finds as names of files.
var Files = Candidate{Word: ":files"}

// Complete answers what shells ask. `--completion SHELL` prints the script by which
// bash, zsh or fish completes command lines of the tool. That script calls
// `--complete WORD...`, the words before the cursor, of which the last is still
// being typed, and gets a line for each candidate: the word, a tab, what it is
// for. Both are the first word of a command line or nothing, so that no question
// of a shell can be taken for an order. done tells whether it was one of them.
func Complete(tool string, args []string, std Streams, s Syntax) (done bool, err error) {
	if len(args) == 0 {
		return false, nil
	}
	first, shell, _ := strings.Cut(args[0], "=")
	switch {
	case Completing(args):
		if len(args) == 1 {
			args = append(args, "")
		}
		return true, s.print(std.Out, args[1:])
	case first != "--completion":
		return false, nil
	case first == args[0] && len(args) == 2:
		shell = args[1]
	case first == args[0] || len(args) > 1:
		return true, UsageErrorf("--completion: want bash, zsh or fish, and nothing else")
	}
	return true, printScript(std.Out, tool, shell)
}

// Completing tells whether a shell asks. Words after -- are then not a command to run.
func Completing(args []string) bool { return len(args) > 0 && args[0] == "--complete" }

//go:embed completion
var scripts embed.FS

func printScript(w io.Writer, tool, shell string) error {
	if !slices.Contains([]string{"bash", "zsh", "fish"}, shell) {
		return UsageErrorf("--completion %q: want bash, zsh or fish", shell)
	}
	script, err := scripts.ReadFile("completion/" + shell)
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, strings.ReplaceAll(string(script), "@TOOL@", tool))
	return err
}
