package cli

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestOnlyAYesConfirms(t *testing.T) {
	for answer, want := range map[string]bool{
		"y\n": true, "yes\n": true, " YES \r\n": true, "Y": true, "n\n": false, "\n": false, "": false, "perhaps\n": false, "yesno\n": false,
	} {
		var out strings.Builder
		got, err := Confirm(t.Context(), Streams{In: strings.NewReader(answer), Err: &out}, "remove it?")
		if got != want || err != nil || out.String() != "remove it? [y/N] " {
			t.Errorf("%q: %v, %v after %q", answer, got, err, out.String())
		}
	}
}

func TestAnAnswerThatDoesNotComeIsNone(t *testing.T) {
	broken := errors.New("line broke")
	if got, err := Confirm(t.Context(), Streams{In: iotest.ErrReader(broken), Err: io.Discard}, "remove it?"); got || !errors.Is(err, broken) {
		t.Errorf("%v, %v", got, err)
	}
	in, never := io.Pipe()
	defer never.Close()
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	if got, err := Confirm(ctx, Streams{In: in, Err: io.Discard}, "remove it?"); got || err != stopped {
		t.Errorf("%v, %v", got, err)
	}
}
