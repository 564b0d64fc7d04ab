//go:build unix

package trust

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"napback/internal/cli"
)

func secret(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "it's a secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestASecretOfAnotherUserIsNotRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := secret(t, "word\n")
	if got, err := ReadPrivateLine("read", path); err != nil || string(got) != "word" {
		t.Fatalf("root's own: %q, %v", got, err)
	}
	if err := os.Chown(path, 12345, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPrivateLine("read", path); cli.ExitStatus(err) != cli.Usage || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("got %v", err)
	}
}

func TestASecretThatOthersCanUseIsNotRead(t *testing.T) {
	path := secret(t, "word")
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	both, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that nobody waits to open it
	if err != nil {
		t.Fatal(err)
	}
	defer both.Close()
	for _, name := range []string{path, pipe} {
		for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o602, 0o610, 0o644} {
			if err := os.Chmod(name, mode); err != nil {
				t.Fatal(err)
			}
			got, err := ReadPrivate("key file", name, 10)
			var out strings.Builder
			cli.PrintError(&out, "tool", err)
			if got != nil || !strings.Contains(out.String(), `tool: error: key file "`+name+`": others can read or write it`) ||
				!strings.Contains(out.String(), "tool: hint: chmod 600 ") {
				t.Errorf("%v: %q, %s", mode, got, out.String())
			}
		}
	}
}

func TestWhatIsReadIsBounded(t *testing.T) {
	path := secret(t, "0123456789")
	if got, err := ReadPrivate("read", path, 10); err != nil || string(got) != "0123456789" {
		t.Errorf("as much as is allowed: %q, %v", got, err)
	}
	for _, read := range []func(what, path string, limit int64) ([]byte, error){Read, ReadPrivate} {
		if got, err := read("read", path, 9); got != nil || err == nil || !strings.Contains(err.Error(), "larger than") {
			t.Errorf("more than that: %q, %v", got, err)
		}
		if _, err := read("read", path+"x", 9); !errors.Is(err, fs.ErrNotExist) || err.Error() != `read "`+path+`x": no such file or directory` {
			t.Errorf("nothing: %v", err)
		}
		if _, err := read("read", filepath.Dir(path), 9); err == nil || !strings.HasSuffix(err.Error(), `": is a directory`) {
			t.Errorf("a directory: %v", err)
		}
	}
}

func TestASecretIsTheFirstLine(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "word": "word", "word\n": "word", "word\r\n": "word", "word\nmore\n": "word", "\nword": "",
		" two words \n": " two words ", "word\r\r\n": "word\r",
	} {
		if got, err := ReadPrivateLine("read", secret(t, text)); err != nil || string(got) != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
