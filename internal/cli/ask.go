package cli

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/term"
)

// AskSecret reads a line from a terminal without showing it. It restores the
// terminal in any case, also when ctx ends. What was typed before the prompt
// counts, and is not shown either. The caller owns tty.
func AskSecret(ctx context.Context, tty *os.File, prompt string) ([]byte, error) {
	fd := int(tty.Fd())
	state, err := term.MakeRaw(fd) // before the prompt, for those who type at once
	if err != nil {
		return nil, err
	}
	defer term.Restore(fd, state)
	if _, err := tty.WriteString(prompt); err != nil { // written directly: the reader below would wrap a long one
		return nil, err
	}
	type line struct {
		text string
		err  error
	}
	typed := make(chan line, 1)
	go func() {
		text, err := term.NewTerminal(tty, "").ReadPassword("")
		typed <- line{text, err}
	}()
	select {
	case l := <-typed:
		if l.err == io.EOF { // also Ctrl-C and Ctrl-D
			l.err = errors.New("nothing was typed")
		}
		return []byte(l.text), l.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
