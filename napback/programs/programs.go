// Package programs finds and runs the programs that napback composes: our own beside
// it, the others in PATH. What our own are told and say is package tools'.
package programs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/runas"
)

// Kit finds the programs that napback composes.
type Kit struct {
	beside string // where napback's own binary is
	// Env is napback's own environment. Programs get what Stage leaves of it.
	Env []string
}

// New returns the kit of this process.
func New() Kit {
	k := Kit{Env: os.Environ()}
	self, err := os.Executable()
	if err != nil && strings.ContainsRune(os.Args[0], filepath.Separator) {
		self, err = os.Args[0], nil // as on Linux without /proc
	}
	if err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		k.beside = filepath.Dir(self)
	}
	return k
}

// Sibling returns the path of one of our own tools: beside napback, else in
// PATH.
func (k Kit) Sibling(name string) (string, error) {
	if k.beside != "" {
		if path, err := exec.LookPath(filepath.Join(k.beside, name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", cli.WithHint(fmt.Errorf("%s: neither beside napback (%q) nor in PATH", name, k.beside), "install all tools into one directory: make install")
	}
	return path, nil
}

// Program returns the path of the first of these programs that is in PATH.
func (k Kit) Program(names ...string) (string, bool) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// GNUTar returns the path of GNU tar. Other tars know no incremental archives,
// or others.
func (k Kit) GNUTar(ctx context.Context) (string, error) {
	var found []string
	for _, name := range []string{"tar", "gtar"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, path, "--version")
		cmd.Env = chain.Environ(k.Env)
		out, err := cmd.Output()
		if err == nil && strings.Contains(string(out), "GNU tar") {
			return path, nil
		}
		says, _, _ := strings.Cut(string(out), "\n")
		if err != nil {
			says = err.Error()
		}
		found = append(found, fmt.Sprintf("%s --version says %q", path, says))
	}
	err := errors.New("GNU tar: neither tar nor gtar in PATH is it")
	if len(found) > 0 {
		err = fmt.Errorf("%w (%s)", err, strings.Join(found, ", "))
	}
	return "", cli.WithHint(err, "install GNU tar; on BSD and macOS the package is often called gtar or gnu-tar")
}

// Stage makes a stage of a program. keep names what it gets from the
// environment besides the harmless variables.
func (k Kit) Stage(name, path string, args []string, keep ...string) chain.Stage {
	return chain.Stage{Name: name, Path: path, Args: args, Env: chain.Environ(k.Env, keep...)}
}

// Tool makes a stage of one of our own tools.
func (k Kit) Tool(name string, args []string, keep ...string) (chain.Stage, error) {
	path, err := k.Sibling(name)
	return k.Stage(name, path, args, keep...), err
}

// The hidden commands of napback, which are stages of chains.
const (
	Whole    = "whole-dump" // copies a dump, and fails unless it is whole
	Roles    = "once-roles" // makes roles of a dump once
	SQL      = "safe-sql"   // copies a dump that makes psql run nothing
	Guard    = "guard-tar"  // copies an archive that tar can extract safely
	Sealed   = "sealed"     // copies a message that is encrypted
	Confined = "confined"   // becomes a program that writes below a directory only
	As       = "run-as"     // becomes a program of another user

	NeededRoles = "needed-roles"    // prints the roles that a dump needs
	Rename      = "rename-database" // gives the database of a dump another name
)

// Anything is the format of what Whole copies and counts without knowing what it is.
const Anything = "anything"

var copiedLine = regexp.MustCompile(`^napback: ([0-9]+) bytes$`)

// Copied reads from a line of Whole how many bytes it has copied.
func Copied(stage, line string) (n int64, ok bool) {
	m := copiedLine.FindStringSubmatch(line)
	if m == nil || stage != "napback" {
		return 0, false
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	return n, err == nil
}

// Hidden is a stage that is napback itself.
func (k Kit) Hidden(command string, args ...string) (chain.Stage, error) {
	return k.Tool("napback", append([]string{command}, args...))
}

// RunAs is a stage as a user runs it, "" being who runs napback. That there is no such
// user, or that this process could not become it, is an error.
func (k Kit) RunAs(name string, s chain.Stage) (chain.Stage, error) {
	if name == "" {
		return s, nil
	}
	if _, err := runas.Find(name); err != nil {
		return s, err
	}
	program, err := filepath.Abs(s.Path) // it runs in another directory
	if err != nil {
		return s, err
	}
	self, err := k.Sibling("napback")
	s.Path, s.Args = self, append([]string{As, name, program}, s.Args...)
	s.Env, s.NoTerminal = chain.Environ(k.Env), true
	return s, err
}

// Output runs one program to its end and returns its stdout. Its stderr goes to
// log; the error tells its last words.
func (k Kit) Output(ctx context.Context, s chain.Stage, log func(stage, line string)) (data []byte, status []chain.Status, err error) {
	status, err = k.Reading(ctx, s, log, func(r io.Reader) (err error) {
		data, err = ReadAll(r, maxOutput)
		return err
	})
	return data, status, err
}

// Reading is output whose stdout is taken as it comes.
func (k Kit) Reading(ctx context.Context, s chain.Stage, log func(stage, line string), take func(io.Reader) error) ([]chain.Status, error) {
	c := chain.Chain{Stages: []chain.Stage{s}, Log: log}
	return c.Reading(ctx, take)
}

// maxOutput bounds what is held of a program's output, in bytes. (A listing is not
// held.)
const maxOutput = 32 << 20

// ReadAll reads at most limit bytes. More is an error.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes of output", limit)
	}
	return data, err
}
