package tools

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"napback/internal/cli"
	"napback/napback/chain"
)

// What is wrong with the store is said as s3ls says it, with its hints, not as how it ended.
func TestAToolsErrorIsToldInItsWords(t *testing.T) {
	missing := chain.Status{Stage: "s3ls", Code: cli.NotFound, Stderr: []string{`s3ls: error: bucket "web": not found`, "s3ls: hint: s3ls lists\x1b[2J them"}}
	refused := chain.Status{Stage: "s3ls", Code: 1, Stderr: []string{"s3ls: error: cannot connect"}}
	for _, c := range []struct {
		status chain.Status
		want   string
	}{
		{missing, "napback: error: bucket \"web\": not found\nnapback: hint: s3ls lists?[2J them\n"},
		{refused, "napback: error: bucket \"web\": cannot connect\n"},
		{chain.Status{Stage: "s3ls", Code: 2}, "napback: error: bucket \"web\": s3ls: exit status 2\n"},
		{chain.Status{Stage: "s3ls", Code: -1, Signal: "SIGKILL"}, "napback: error: bucket \"web\": s3ls: killed by SIGKILL\n"},
		{chain.Status{Stage: "pgpipe", Code: 9, Stderr: []string{"pgpipe: error: wrong passphrase"}}, "napback: error: bucket \"web\": pgpipe: wrong passphrase\n"},
		{chain.Status{Stage: "tar", Code: 2, Stderr: []string{"tar: error"}}, "napback: error: bucket \"web\": tar: exit status 2: error\n"},
	} {
		err := About("web", Explain(t.Context(), &chain.Error{Cause: c.status}))
		var said bytes.Buffer
		cli.PrintError(&said, "napback", err)
		if said.String() != c.want {
			t.Errorf("got  %q\nwant %q", said.String(), c.want)
		}
		if failed := new(chain.Error); !errors.As(err, &failed) || failed.Cause.Stage != c.status.Stage {
			t.Errorf("%v does not tell who failed", err)
		}
	}
	if got := cli.ExitStatus(Explain(t.Context(), &chain.Error{Cause: missing})); got != cli.NotFound {
		t.Errorf("exit %d", got)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("a signal"))
	if err := Explain(ctx, &chain.Error{Cause: missing}); err.Error() != "a signal" {
		t.Error(err)
	}
}

func TestProgressIsTakenFromTheToolsOfTheStoreAlone(t *testing.T) {
	var got []cli.ProgressLine
	watch := Watch(func(l cli.ProgressLine) { got = append(got, l) })
	const line = `{"event":"progress","moved":12,"piped":34}`
	for _, c := range []struct {
		stage, line string
		want        bool
	}{
		{"s3put", line, true}, {"s3get", line, true}, {"tar", line, false}, {"s3ls", line, false},
		{"s3put", "s3put: warning: " + line, false}, {"s3put", line[:20], false}, {"s3put", `{"event":"committed"}`, false}, {"s3put", "", false},
	} {
		if watch(c.stage, c.line) != c.want {
			t.Errorf("%s: %q", c.stage, c.line)
		}
	}
	if len(got) != 2 || got[0] != (cli.ProgressLine{Event: "progress", Moved: 12, Piped: 34}) {
		t.Errorf("%+v", got)
	}
}
