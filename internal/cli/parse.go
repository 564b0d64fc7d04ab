package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Describe is the text of a tool's -h that its options struct does not hold.
type Describe struct {
	Tool    string // its name
	Usage   string // what follows the name in the synopsis, if kong's own would be wrong
	Purpose string // one line: what the tool is for
	Example string // one real pipeline
	// Old tells what to write instead of flags that tools had which this one succeeds.
	Old map[string]string
}

// errHelped ends Parse after -h or -V has been printed.
var errHelped = errors.New("help was printed")

// Parse fills the kong options struct from args. It returns done = true when
// -h or -V has been answered and the tool has nothing more to do. A wrong
// command line is an error with the code Usage.
func Parse(options any, args []string, std Streams, d Describe) (done bool, err error) {
	grammar := struct {
		Help    helpFlag    `short:"h" help:"Show this help."`
		Version versionFlag `short:"V" help:"Print the version."`
		// Complete answers it: it is an option of its own only where it must not be.
		Completion string `placeholder:"SHELL" enum:",bash,zsh,fish" default:"" help:"Print what makes bash, zsh or fish complete command lines."`
	}{}
	parser, err := kong.New(options,
		kong.Name(d.Tool),
		kong.Description(d.Purpose),
		kong.Writers(std.Out, std.Err),
		kong.NoDefaultHelp(),
		kong.Embed(&grammar),
		kong.Vars{"tool": d.Tool, "example": d.Example},
		kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 100, Compact: true}),
		kong.ShortUsageOnError(),
		kong.Help(func(options kong.HelpOptions, ctx *kong.Context) error {
			if d.Usage != "" {
				fmt.Fprintf(ctx.Stdout, "Usage: %s %s\n", d.Tool, d.Usage)
				options.NoAppSummary = true
			}
			if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
				return err
			}
			if d.Example != "" {
				fmt.Fprintf(ctx.Stdout, "\nExample:\n  %s\n", strings.ReplaceAll(d.Example, "\n", "\n  "))
			}
			return nil
		}),
	)
	if err != nil {
		return false, fmt.Errorf("command line of %s: %w", d.Tool, err)
	}
	if done, err := Complete(d.Tool, args, std, syntaxOf(parser.Model.Node)); done {
		return true, err
	}
	_, err = parser.Parse(args)
	if err == nil && grammar.Completion != "" {
		return false, UsageErrorf("--completion %s: want nothing else", grammar.Completion)
	}
	if errors.Is(err, errHelped) {
		return true, nil
	}
	if err != nil {
		return false, d.hint(WithCode(Usage, lowerFirst(err)), args, parser)
	}
	return false, nil
}

// hint tells what to write instead of a wrong command line.
func (d Describe) hint(err error, args []string, parser *kong.Kong) error {
	hint := d.Tool + " -h lists the options"
	if wantsDryRun(err) && slices.ContainsFunc(parser.Model.Flags, func(f *kong.Flag) bool { return f.Name == "pretend" }) {
		hint = "-p says what would be done, and does nothing"
	}
	err = WithHint(err, "%s", hint)
	if dashes := slices.Index(args, "--"); dashes >= 0 {
		args = args[:dashes]
	}
	for _, arg := range slices.Backward(args) { // the last hint is printed first
		if old, ok := d.Old[arg]; ok {
			err = WithHint(err, "%s", old)
		}
	}
	return err
}

// wantsDryRun tells an error about what is a dry run elsewhere.
func wantsDryRun(err error) bool {
	return strings.HasPrefix(err.Error(), "unknown flag -n") || strings.HasPrefix(err.Error(), "unknown flag --dry-run")
}

// UsageErrorf is an error with the code Usage, for combinations of options
// that Parse cannot see.
func UsageErrorf(format string, args ...any) error {
	return &codeError{Usage, fmt.Errorf(format, args...)}
}

type helpFlag bool

// BeforeReset prints the help before required arguments are asked for.
func (helpFlag) BeforeReset(ctx *kong.Context) error {
	if err := ctx.PrintUsage(false); err != nil {
		return err
	}
	return errHelped
}

type versionFlag bool

// BeforeReset prints the version before required arguments are asked for.
func (versionFlag) BeforeReset(app *kong.Kong, vars kong.Vars) error {
	if _, err := fmt.Fprintln(app.Stdout, VersionLine(vars["tool"])); err != nil {
		return err
	}
	return errHelped
}

// lowerFirst keeps kong's errors in our form.
func lowerFirst(err error) error {
	text := err.Error()
	if text == "" || text[0] < 'A' || text[0] > 'Z' {
		return err
	}
	return fmt.Errorf("%s%s", strings.ToLower(text[:1]), text[1:])
}
