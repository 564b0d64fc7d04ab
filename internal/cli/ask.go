package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Confirm asks a question on std.Err that y or yes confirms. Any other answer,
// and none, is a no. It waits for the answer on std.In no longer than ctx.
func Confirm(ctx context.Context, std Streams, question string) (bool, error) {
	fmt.Fprintf(std.Err, "%s [y/N] ", question)
	text, err := typed(ctx, func() (string, error) { return bufio.NewReader(std.In).ReadString('\n') })
	if err != nil && err != io.EOF {
		if ctx.Err() == nil {
			err = fmt.Errorf("read the answer: %w", err)
		}
		return false, err
	}
	text = strings.ToLower(strings.TrimSpace(text))
	return text == "y" || text == "yes", nil
}

// AskLine asks a question on std.Err and returns the line that is typed on std.In,
// without the blanks around it; without one, byDefault. It waits no longer than ctx.
func AskLine(ctx context.Context, std Streams, question, byDefault string) (string, error) {
	if byDefault != "" {
		question += " [" + byDefault + "]"
	}
	fmt.Fprintf(std.Err, "%s ", question)
	text, err := typed(ctx, func() (string, error) { return bufio.NewReader(std.In).ReadString('\n') })
	if err == io.EOF {
		err = errors.New("nothing was typed")
	}
	if text = strings.TrimSpace(text); text == "" {
		text = byDefault
	}
	return text, err
}

// ErrNoTerminal is that the process has no terminal to ask on.
var ErrNoTerminal = errors.New("there is no terminal to ask on")

// openTerminal opens the process's own terminal, whatever its streams are.
func openTerminal() (*os.File, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, ErrNoTerminal
	}
	return tty, nil
}

// HasTerminal reports whether AskSecret can ask.
func HasTerminal() bool {
	tty, err := openTerminal()
	if err == nil {
		tty.Close()
	}
	return err == nil
}

// AskSecret reads a line from the process's terminal without showing it. The
// terminal is put right however that ends, also when ctx does. What was typed
// before the prompt counts, and is not shown either.
func AskSecret(ctx context.Context, prompt string) ([]byte, error) {
	tty, err := openTerminal()
	if err != nil {
		return nil, err
	}
	defer tty.Close()
	fd := int(tty.Fd())
	state, err := term.MakeRaw(fd) // before the prompt, for those who type at once
	if err != nil {
		return nil, err
	}
	defer term.Restore(fd, state)
	if _, err := tty.WriteString(prompt); err != nil { // written directly: the reader below would wrap a long one
		return nil, err
	}
	text, err := typed(ctx, func() (string, error) { return term.NewTerminal(tty, "").ReadPassword("") })
	if err == io.EOF { // also Ctrl-C and Ctrl-D
		err = errors.New("nothing was typed")
	}
	return []byte(text), err
}

// typed reads a line, unless ctx ends before there is one.
func typed(ctx context.Context, read func() (string, error)) (string, error) {
	type line struct {
		text string
		err  error
	}
	lines := make(chan line, 1)
	go func() {
		text, err := read()
		lines <- line{text, err}
	}()
	select {
	case l := <-lines:
		return l.text, l.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
