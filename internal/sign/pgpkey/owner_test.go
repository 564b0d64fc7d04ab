package pgpkey

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/cli"
)

func TestASecretOfAnotherUserIsNotRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte("word\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadPassphrase(path); err != nil || string(got) != "word" {
		t.Fatalf("root's own: %q, %v", got, err)
	}
	if err := os.Chown(path, 12345, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadPassphrase(path); cli.ExitStatus(err) != cli.Usage || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("got %v", err)
	}
}
