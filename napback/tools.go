package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
)

// tools finds the programs that napback composes.
type tools struct {
	beside string   // where napback's own binary is
	env    []string // napback's environment
}

func newTools() tools {
	t := tools{env: os.Environ()}
	self, err := os.Executable()
	if err != nil && strings.ContainsRune(os.Args[0], filepath.Separator) {
		self, err = os.Args[0], nil // as on Linux without /proc
	}
	if err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		t.beside = filepath.Dir(self)
	}
	return t
}

// sibling returns the path of one of our own tools: beside napback, else in
// PATH.
func (t tools) sibling(name string) (string, error) {
	if t.beside != "" {
		if path, err := exec.LookPath(filepath.Join(t.beside, name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", cli.WithHint(fmt.Errorf("%s: neither beside napback (%q) nor in PATH", name, t.beside), "install all tools into one directory: make install")
	}
	return path, nil
}

// program returns the path of the first of these programs that is in PATH.
func (t tools) program(names ...string) (string, bool) {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// gnuTar returns the path of GNU tar. Other tars know no incremental archives,
// or others.
func (t tools) gnuTar(ctx context.Context) (string, error) {
	var found []string
	for _, name := range []string{"tar", "gtar"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, path, "--version")
		cmd.Env = chain.Environ(t.env)
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

// stage makes a stage of a program. keep names what it gets from the
// environment besides the harmless variables.
func (t tools) stage(name, path string, args []string, keep ...string) chain.Stage {
	return chain.Stage{Name: name, Path: path, Args: args, Env: chain.Environ(t.env, keep...)}
}

// storeStage makes a stage of a tool that talks to the store.
func (t tools) storeStage(name, path string, args []string) chain.Stage {
	return t.stage(name, path, args, chain.Store()...)
}

// output runs one program to its end and returns its stdout. Its stderr goes to
// log; the error tells its last words.
func (t tools) output(ctx context.Context, s chain.Stage, log func(stage, line string)) (data []byte, status []chain.Status, err error) {
	status, err = t.reading(ctx, s, log, func(r io.Reader) (err error) {
		data, err = readAll(r, maxOutput)
		return err
	})
	return data, status, err
}

// reading is output whose stdout is taken as it comes. An error of take counts
// before one of the program, which may be that nobody took what it wrote.
func (t tools) reading(ctx context.Context, s chain.Stage, log func(stage, line string), take func(io.Reader) error) ([]chain.Status, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", s.Name, err)
	}
	taken := make(chan error, 1)
	go func() {
		err := take(read)
		read.Close() // a program that says more than we take must not hang
		taken <- err
	}()
	c := chain.Chain{Stages: []chain.Stage{s}, Stdout: write, Log: log}
	status, err := c.Run(ctx)
	write.Close()
	if bad := <-taken; bad != nil && (err == nil || errors.Is(bad, catalog.ErrTooMuch)) {
		err = bad
	}
	return status, err
}

// listing lists what s3ls says with these arguments.
func (t tools) listing(ctx context.Context, args []string, log func(stage, line string)) (l catalog.Listing, status []chain.Status, err error) {
	path, err := t.sibling("s3ls")
	if err != nil {
		return l, nil, err
	}
	status, err = t.reading(ctx, t.storeStage("s3ls", path, args), log, func(r io.Reader) (err error) {
		l, err = catalog.Read(r)
		return err
	})
	return l, status, err
}
