package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// TestJs3treamOnAServer reads both widths of js3tream's numbers from a server.
func TestJs3treamOnAServer(t *testing.T) {
	server := storetest.Versitygw(t)
	store := tooltest.Server(server, server.Endpoint)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:old/ours")
	for _, width := range []int{13, 20} {
		name := fmt.Sprintf("old/%d", width)
		want := ""
		for n := range 12 {
			key := fmt.Sprintf("%s:%0*d", name, width, n)
			file := filepath.Join(server.DataDir, "bkt", filepath.FromSlash(key))
			if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("chunk %d of %d\n", n, width)
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			want += text
		}
		for _, address := range []string{"bkt:" + name, "bkt:/" + name} {
			if out := store.Must(t, nil, "s3get", "--js3tream", address); out != want {
				t.Errorf("%s reads as %q", address, out)
			}
		}
	}
	if out := store.Must(t, nil, "s3ls", "--js3tream", "--names", "bkt:old"); out != "old/13\nold/20\n" {
		t.Errorf("the names are %q", out)
	}
}
