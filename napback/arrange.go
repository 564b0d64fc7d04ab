package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
)

// configDir is where words on the command line name configurations.
const configDir = "/etc/napback"

// defaultConfig is read when no configuration is named.
const defaultConfig = configDir + "/napback.conf"

// arrange puts a command line into the only order that urfave/cli reads: napback's
// own options, the command, its options, its words. People may mix them. Words before
// the command become the configurations that they name.
func arrange(args []string, app *urfave.App) ([]string, error) {
	if len(args) > 0 && isHidden(args[0], app) {
		return args, nil // a stage, which napback has composed itself
	}
	a := arranger{app: app, own: takesValue(app.Flags)}
	for rest := args; len(rest) > 0; {
		n, err := a.next(rest)
		if err != nil {
			return nil, err
		}
		rest = rest[n:]
	}
	line := a.global
	switch {
	case a.command == nil:
	case a.help:
		line = append(line, a.command.Name, "-h") // with words it would be about these
	default:
		line = append(append(line, a.command.Name), a.options...)
		line = append(append(line, "--"), a.words...)
	}
	return line, nil
}

func isHidden(word string, app *urfave.App) bool {
	return slices.ContainsFunc(app.Commands, func(c *urfave.Command) bool { return c.Hidden && c.HasName(word) })
}

// arranger sorts the parts of a command line.
type arranger struct {
	app     *urfave.App
	own     map[string]bool // napback's own options: whether they take a value
	global  []string
	command *urfave.Command // nil before it has come
	theirs  map[string]bool // the command's options
	options []string        // of the command
	words   []string
	ended   bool // no options come any more
	help    bool // about the command is wanted
}

// next takes what the rest of the command line begins with, and returns how many
// arguments that are.
func (a *arranger) next(rest []string) (int, error) {
	arg := rest[0]
	switch {
	case !a.ended && arg == "--":
		a.ended = true
	case !a.ended && strings.HasPrefix(arg, "-") && len(arg) > 1:
		return a.option(rest)
	case a.command != nil:
		a.words = append(a.words, arg)
	default:
		return 1, a.word(arg)
	}
	return 1, nil
}

// option takes an option, with its value.
func (a *arranger) option(rest []string) (int, error) {
	name, _, joined := strings.Cut(strings.TrimLeft(rest[0], "-"), "=")
	single := !strings.HasPrefix(rest[0], "--")
	value, theirs := a.theirs[name]
	known := theirs
	if !known {
		value, known = a.own[name]
	}
	if !known && single && name != "" { // several letters: the last one may take a value
		last := name[len(name)-1:]
		if value, theirs = a.theirs[last]; !theirs {
			value = a.own[last]
		}
		theirs = a.command != nil
	}
	if !known && (name == "dry-run" || single && strings.Contains(name, "n")) {
		return 0, a.dryRun(rest[0])
	}
	a.help = a.help || a.command != nil && (name == "h" || name == "help")
	n := 1
	if value && !joined {
		if n = 2; len(rest) < n {
			return 0, cli.UsageErrorf("option %s needs a value", rest[0])
		}
	}
	if theirs || !known && a.command != nil {
		a.options = append(a.options, rest[:n]...)
	} else {
		a.global = append(a.global, rest[:n]...)
	}
	return n, nil
}

// dryRun is the error of what is a dry run elsewhere.
func (a *arranger) dryRun(option string) error {
	err := cli.UsageErrorf("there is no option %s", option)
	switch _, pretends := a.theirs["pretend"]; {
	case pretends:
		return cli.WithHint(err, "-p shows what %s would do, and does nothing", a.command.Name)
	case a.command == nil:
		return cli.WithHint(err, "-t shows what would be run, and runs nothing")
	}
	return cli.WithHint(err, "napback %s -h lists the options", a.command.Name)
}

// word takes a word that stands before the command, or is it.
func (a *arranger) word(word string) error {
	if c := a.app.Command(word); c != nil && !a.ended {
		a.command, a.theirs = c, takesValue(c.Flags)
		return nil
	}
	file := filepath.Join(configDir, word+".conf")
	_, err := os.Stat(file)
	if strings.ContainsRune(word, filepath.Separator) || errors.Is(err, fs.ErrNotExist) {
		return cli.WithHint(cli.UsageErrorf("argument %q: neither a command nor a word that names a file in %s", word, configDir),
			"files are given with -c; napback -h lists the commands")
	}
	a.global = append(a.global, "-c", file)
	return nil
}

// takesValue tells of each option, by each of its names, whether a value follows.
func takesValue(flags []urfave.Flag) map[string]bool {
	all := map[string]bool{"h": false, "help": false}
	for _, f := range flags {
		_, alone := f.(*urfave.BoolFlag)
		for _, name := range f.Names() {
			all[name] = !alone
		}
	}
	return all
}
