package cli

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestEveryErrorIsOneLineAndHintsFollow(t *testing.T) {
	base := errors.New("put \"b:n\": access denied")
	denied := WithCode(Denied, errors.New("access denied"))
	for name, c := range map[string]struct {
		err    error
		want   string
		status int
	}{
		"plain": {base, "t: error: put \"b:n\": access denied\n", Failed},
		"coded": {Errorf(NotFound, "bucket %q: no such bucket", "b"), "t: error: bucket \"b\": no such bucket\n", NotFound},
		"hint under code under wrap": {
			fmt.Errorf("open: %w", WithCode(Integrity, WithHint(base, "ask"))),
			"t: error: open: put \"b:n\": access denied\nt: hint: ask\n", Integrity},
		"joined, same hint once": {
			WithCode(Usage, errors.Join(WithHint(errors.New("a"), "read"), WithHint(errors.New("b"), "read"))),
			"t: error: a\nt: error: b\nt: hint: read\n", Usage},
		"two causes in one sentence": {
			fmt.Errorf("%w and %w", errors.New("a"), errors.New("b")), "t: error: a and b\n", Failed},
		"denied":               {fmt.Errorf("list: %w", denied), "t: error: list: access denied\n", Denied},
		"denied twice":         {errors.Join(denied, fmt.Errorf("get: %w", denied)), "t: error: access denied\nt: error: get: access denied\n", Denied},
		"denied and failed":    {errors.Join(denied, errors.New("a")), "t: error: access denied\nt: error: a\n", Failed},
		"denied and damaged":   {errors.Join(denied, Errorf(Integrity, "a")), "t: error: access denied\nt: error: a\n", Integrity},
		"not known and denied": {fmt.Errorf("%w: %w", errors.New("not known"), denied), "t: error: not known: access denied\n", Failed},
		"denied, but coded":    {WithCode(Integrity, denied), "t: error: access denied\n", Integrity},
		"a code by default":    {OrCode(Usage, base), "t: error: put \"b:n\": access denied\n", Usage},
		"a code of its own":    {OrCode(Usage, denied), "t: error: access denied\n", Denied},
		"silent":               {Exit(Failed), "", Failed},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			PrintError(&out, "t", c.err)
			if out.String() != c.want || ExitStatus(c.err) != c.status {
				t.Errorf("printed %q with status %d; want %q with %d", out.String(), ExitStatus(c.err), c.want, c.status)
			}
		})
	}
}

func TestNilErrorsStayNil(t *testing.T) {
	if WithCode(Usage, nil) != nil || WithHint(nil, "x") != nil || OrCode(Usage, nil) != nil || ExitStatus(nil) != OK {
		t.Fatal("a nil error became an error")
	}
}
