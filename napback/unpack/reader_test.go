package unpack

import (
	"testing"

	"napback/internal/cli"
	"napback/napback/chain"
)

func TestTheExitCodeIsThatOfTheCause(t *testing.T) {
	for _, c := range []struct {
		status chain.Status
		want   int
	}{
		{chain.Status{Stage: "s3get", Code: 4}, 4},
		{chain.Status{Stage: "s3get", Code: 5}, 5},
		{chain.Status{Stage: "s3get", Code: 2}, 1}, // of our making, not the user's
		{chain.Status{Stage: "s3get", Code: -1, Signal: "SIGKILL"}, 1},
		{chain.Status{Stage: "pgpipe", Code: 5}, 5},
		{chain.Status{Stage: "pgpipe", Code: 1}, 1},
		{chain.Status{Stage: "gpg", Code: 2, Stderr: []string{"gpg: WARNING: encrypted message has been manipulated!"}}, 5},
		{chain.Status{Stage: "gpg", Code: 2, Stderr: []string{"gpg: decryption failed: No secret key"}}, 4},
		{chain.Status{Stage: "gpg", Code: 2, Stderr: []string{"gpg: public key decryption failed: Timeout"}}, 1},
		{chain.Status{Stage: "zstd", Code: 1}, 5},
		{chain.Status{Stage: "zstd", Code: -1, Signal: "SIGKILL"}, 1},
		{chain.Status{Stage: "tar", Code: 2}, 1},
		{chain.Status{Stage: "tar", Code: 2, Stderr: []string{"tar: Skipping to next header"}}, 5},
	} {
		if got := cli.ExitStatus(explain(t.Context(), &chain.Error{Cause: c.status})); got != c.want {
			t.Errorf("%s: exit %d, want %d", c.status, got, c.want)
		}
	}
}
