package storetest

import "testing"

// NotQuick leaves a test out of `make quick`, which runs `go test -short`, and
// tells why: it starts a server, say. It is the only way in which a test is left
// out, and `make test` and CI leave none out.
func NotQuick(t testing.TB, why string) {
	t.Helper()
	if testing.Short() {
		t.Skip("not quick: " + why)
	}
}
