package main

import (
	"os"
	"path/filepath"
	"testing"

	"napback/internal/storetest"
)

// damage changes a byte of the object whose key matches, behind the back of
// the server.
func damage(t *testing.T, server *storetest.Server, pattern string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(server.DataDir, "bkt", pattern))
	if err != nil || len(files) != 1 {
		t.Fatalf("%s matches %v, %v", pattern, files, err)
	}
	file, err := os.OpenFile(files[0], os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	b := make([]byte, 1)
	if _, err := file.ReadAt(b, 0); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := file.WriteAt(b, 0); err != nil {
		t.Fatal(err)
	}
}
