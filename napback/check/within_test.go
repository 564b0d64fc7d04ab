package check

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// A look at a file system whose server is gone heeds no context.
func TestWhatHangsIsLeftAlone(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	r := &Ready{limit: 10 * time.Millisecond}
	_, err := within(t.Context(), r, long, func(context.Context) (string, error) {
		<-hang
		return "", nil
	})
	if err == nil || !strings.Contains(err.Error(), "no answer within 10ms") {
		t.Errorf("%v", err)
	}
	stopped, stop := context.WithCancelCause(t.Context())
	why := errors.New("interrupted")
	stop(why)
	if err := tried(stopped, r, long, func(context.Context) error { <-hang; return nil }); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	if got, err := within(t.Context(), &Ready{}, long, func(context.Context) (string, error) { return "x", nil }); got != "x" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
