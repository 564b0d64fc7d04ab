package tooltest

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"napback/internal/storetest"
)

// marker is set for a test that AsRoot has started.
const marker = "NAPBACK_TEST_AS_ROOT"

// NeedsRoot is for a test that does what no namespace allows: it makes device
// nodes, say, or gives files away. `make quick` leaves it out; anywhere else it
// fails if another user runs it, rather than pass without having looked.
func NeedsRoot(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() == 0 && os.Getenv(marker) == "" {
		return
	}
	storetest.NotQuick(t, "only root "+why)
	t.Fatalf("only root %s: run the test as root", why)
}

// AsRoot is for a test that mounts something: such a test begins with
//
//	if !tooltest.AsRoot(t) {
//		return
//	}
//
// For root it is true. For another user it runs this one test again, as root of
// a user and mount namespace, and is false: the test has passed or failed there.
func AsRoot(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() == 0 {
		return true
	}
	storetest.NotQuick(t, "mounts something")
	again := append(Unshare(), os.Args[0], "-test.run=^"+regexp.QuoteMeta(t.Name())+"$", "-test.v")
	cmd := exec.CommandContext(t.Context(), again[0], again[1:]...)
	cmd.Env = append(os.Environ(), marker+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("as root of a namespace: %v\n%s", err, out)
	}
	return false
}

// Unshare is the beginning of a command line whose rest runs as root in a mount
// namespace. Who is not root gets a user namespace, too, where the kernel lets
// them; it has one user only. Mounts are seen from outside unless the command
// makes them private, since / need not be a mount point.
func Unshare() []string {
	unshare := []string{"unshare", "--mount", "--propagation", "unchanged"}
	if os.Geteuid() != 0 {
		unshare = append(unshare, "--user", "--map-root-user")
	}
	return unshare
}
