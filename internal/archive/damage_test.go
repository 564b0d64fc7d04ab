package archive_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"napback/internal/archive"
	"napback/internal/cli"
)

func TestDamageIsFoundBeforeAByteOfItIsWritten(t *testing.T) {
	data := random(95)
	for name, c := range map[string]struct {
		spoil  func(dir string, m *archive.Manifest) error
		intact int // bytes that come out before the damage
	}{
		"flipped bit":     {func(dir string, m *archive.Manifest) error { return flip(chunkPath(dir, m, 4), 3) }, 40},
		"cut chunk":       {func(dir string, m *archive.Manifest) error { return os.Truncate(chunkPath(dir, m, 9), 4) }, 90},
		"empty chunk":     {func(dir string, m *archive.Manifest) error { return os.Truncate(chunkPath(dir, m, 0), 0) }, 0},
		"missing chunk":   {func(dir string, m *archive.Manifest) error { return os.Remove(chunkPath(dir, m, 9)) }, 90},
		"swapped chunks":  {swapChunks, 20},
		"sums of another": {func(dir string, m *archive.Manifest) error { return flip(objectPath(dir, m, "SHA256SUMS"), 3) }, 0},
		"missing sums":    {func(dir string, m *archive.Manifest) error { return os.Remove(objectPath(dir, m, "SHA256SUMS")) }, 0},
		"cut sums":        {func(dir string, m *archive.Manifest) error { return os.Truncate(objectPath(dir, m, "SHA256SUMS"), 160) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			st, dir := bucket(t)
			m := mustPut(t, st, "n", data, 10)
			if err := c.spoil(dir, m); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			err := archive.Get(t.Context(), st, m, &out, getOptions())
			if cli.ExitStatus(err) != cli.Integrity {
				t.Errorf("get: status %d, %v", cli.ExitStatus(err), err)
			}
			if out.Len() > c.intact || !bytes.HasPrefix(data, out.Bytes()) {
				t.Errorf("%d bytes were written, only %d are intact", out.Len(), c.intact)
			}
			if err := archive.Verify(t.Context(), st, m, getOptions()); cli.ExitStatus(err) != cli.Integrity {
				t.Errorf("verify: status %d, %v", cli.ExitStatus(err), err)
			}
		})
	}
}

func objectPath(dir string, m *archive.Manifest, object string) string {
	return filepath.Join(dir, m.Name+":"+string(m.Run)+":"+object)
}

func chunkPath(dir string, m *archive.Manifest, n int) string {
	return objectPath(dir, m, fmt.Sprintf("%013d", n))
}

func flip(path string, at int) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	data[at] ^= 1
	return os.WriteFile(path, data, 0o600)
}

func swapChunks(dir string, m *archive.Manifest) error {
	a, b := chunkPath(dir, m, 2), chunkPath(dir, m, 5)
	return errors.Join(os.Rename(a, a+"x"), os.Rename(b, a), os.Rename(a+"x", b))
}
