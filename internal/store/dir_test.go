package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/storetest"
)

// newDir returns a directory store with the bucket "b", and its path.
func newDir(t *testing.T, change func(cfg *Config, t *tuning)) (*dirService, archive.Store, string) {
	t.Helper()
	root := t.TempDir()
	s := openTest(t, fileURL(root), change).(*dirService)
	if err := s.CreateBucket(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	return s, s.Bucket("b"), filepath.Join(root, "b")
}

// files lists the regular files below a directory, with mode.
func files(t *testing.T, dir string) []string {
	t.Helper()
	found := []string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			found = append(found, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestDirLayout: the files have the keys as names, are private, and nothing
// else is left.
func TestDirLayout(t *testing.T) {
	_, b, dir := newDir(t, nil)
	storetest.Put(t, b, "home/me:run:0000000000000", []byte("data"))
	if diff := cmp.Diff([]string{"home/me:run:0000000000000"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for name, want := range map[string]fs.FileMode{"home/me:run:0000000000000": 0o600, "home": fs.ModeDir | 0o700, ".": fs.ModeDir | 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
	if err := b.Delete(t.Context(), "home/me:run:0000000000000"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "home")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the emptied directory is still there: %v", err)
	}
}

// TestDirWithoutHardLinks: the promises hold where link(2) does not work.
func TestDirWithoutHardLinks(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	for _, errno := range []error{syscall.EPERM, syscall.EOPNOTSUPP} {
		storetest.Conform(t, func(t *testing.T) archive.Store {
			s, b, _ := newDir(t, nil)
			s.link = func(_ *os.Root, from, to string) error {
				return &os.LinkError{Op: "link", Old: from, New: to, Err: errno}
			}
			return b
		})
	}
}

// TestDirFull: a full disk is one clear error at once, nothing is left of the
// object, and with NeverDie it is waited for.
func TestDirFull(t *testing.T) {
	full := 3
	broken := func(bucket *os.Root, from, to string) error {
		if full > 0 {
			full--
			return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.ENOSPC}
		}
		return bucket.Link(from, to)
	}
	s, b, dir := newDir(t, nil)
	s.link = broken
	err := b.Put(t.Context(), storetest.Object("k", []byte("data")))
	if err == nil || err.Error() != `put object "k": no space left on device` || full != 2 {
		t.Errorf("error %v after %d tries", err, 3-full)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("files %q are left", left)
	}
	log := &logText{hit: make(chan struct{}, 1)}
	s, b, _ = newDir(t, func(cfg *Config, _ *tuning) {
		cfg.NeverDie, cfg.Attempts, cfg.RetryWait = true, 1, 1
		cfg.Log = &cli.Log{Tool: "test", W: log}
	})
	s.link = broken
	storetest.Put(t, b, "k", []byte("data"))
	if full != 0 || !strings.Contains(log.String(), "no space left on device; tried once, going on in 1ns") {
		t.Errorf("%d failures are left; the log is %s", full, log)
	}
}

// TestDirRefusesKeys: no key leads out of the bucket, is hidden in it, or is
// another's directory.
func TestDirRefusesKeys(t *testing.T) {
	_, b, dir := newDir(t, nil)
	storetest.Put(t, b, "a", []byte("x"))
	storetest.Put(t, b, "d/e", []byte("x"))
	for key, want := range map[string]string{
		"":                 "empty key",
		"/abs":             "component",
		"a//b":             "component",
		"end/":             "component",
		"../out":           "component",
		"d/../../out":      "component",
		"./d":              "component",
		"nul\x00":          "NUL",
		".napback-tmp":     "unfinished files",
		".napback-tmp/x":   "unfinished files",
		"a/b":              `"a" is an object`,
		"a/b/c":            `"a" is an object`,
		"d":                "objects below it",
		"n" + long + "ame": "name too long",
	} {
		err := b.Put(t.Context(), storetest.Object(key, []byte("y")))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("put %.30q: error %v, want %q", key, err, want)
		}
		if _, _, err := b.Get(t.Context(), key); key != "n"+long+"ame" && !errors.Is(err, archive.ErrNotExist) {
			t.Errorf("get %.30q: error %v, want ErrNotExist", key, err)
		}
	}
	if diff := cmp.Diff([]string{"a", "d/e"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(dir, "..", "out")); err == nil {
		t.Error("a file was written outside of the bucket")
	}
}

var long = strings.Repeat("x", 300)

// TestDirSymlinks: a link that leads out of the root is neither read, written
// through, nor listed.
func TestDirSymlinks(t *testing.T) {
	s, b, dir := newDir(t, nil)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"file": filepath.Join(outside, "secret"), "sub": outside, "../evil": outside} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{"file", "sub/secret"} {
		if body, _, err := b.Get(t.Context(), key); err == nil {
			body.Close()
			t.Errorf("get %q went through a link to the outside", key)
		}
	}
	if err := b.Put(t.Context(), storetest.Object("sub/new", []byte("x"))); err == nil {
		t.Error("put went through a link to the outside")
	}
	if err := b.Delete(t.Context(), "sub/secret"); err == nil {
		t.Error("delete through a link to the outside is no error")
	}
	if err := s.Bucket("evil").Put(t.Context(), storetest.Object("new", []byte("x"))); err == nil {
		t.Error("put went into a bucket outside")
	}
	if keys := storetest.Keys(t, b, archive.Query{}); len(keys) != 0 {
		t.Errorf("links are listed: %q", keys)
	}
	if diff := cmp.Diff([]string{"secret"}, files(t, outside)); diff != "" {
		t.Errorf("outside (-want +got):\n%s", diff)
	}
}

// TestDirLeftovers: what a writer that died has left is hidden, and removed
// once it is old.
func TestDirLeftovers(t *testing.T) {
	_, b, dir := newDir(t, nil)
	tmp := filepath.Join(dir, tmpDir)
	if err := os.Mkdir(tmp, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, age := range map[string]time.Duration{"old": tmpLife + time.Hour, "young": tmpLife - time.Hour} {
		path := filepath.Join(tmp, name)
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Put(t, b, "k", []byte("data"))
	if diff := cmp.Diff([]string{".napback-tmp/young", "k"}, files(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"k"}, storetest.Keys(t, b, archive.Query{})); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
}

// TestDirCancelMidway: an upload that is cancelled while its bytes are
// written leaves nothing.
func TestDirCancelMidway(t *testing.T) {
	_, b, dir := newDir(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	data := storetest.Noise(4 * maxStep)
	obj := storetest.Object("k", data)
	obj.Body = &cancelAt{ReadSeeker: bytes.NewReader(data), after: 2 * maxStep, cancel: cancel}
	if err := b.Put(ctx, obj); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("files %q are left", left)
	}
}

type cancelAt struct {
	io.ReadSeeker
	after  int
	cancel func()
}

func (c *cancelAt) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	if c.after -= n; c.after <= 0 {
		c.cancel()
	}
	return n, err
}

// TestDirErrors: what is wrong with the directory itself is said.
func TestDirErrors(t *testing.T) {
	clearAWS(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for endpoint, want := range map[string]struct {
		code int
		text string
	}{
		"file://" + file + "x": {cli.NotFound, `directory store "` + file + `x": not found`},
		"file://" + file:       {cli.Usage, `directory store "` + file + `": not a directory`},
	} {
		_, err := Open(t.Context(), Config{Options: Options{Endpoint: endpoint}})
		if err == nil || err.Error() != want.text || cli.ExitStatus(err) != want.code {
			t.Errorf("%s: error %v with status %d, want %v", endpoint, err, cli.ExitStatus(err), want)
		}
	}
}

// TestDirLimit: the bandwidth limit holds for a directory too.
func TestDirLimit(t *testing.T) {
	_, b, _ := newDir(t, func(cfg *Config, _ *tuning) { cfg.BandwidthLimit = 1_000_000 })
	start := time.Now()
	storetest.Put(t, b, "k", storetest.Noise(300_000))
	storetest.Get(t, b, "k")
	if took := time.Since(start); took < 450*time.Millisecond {
		t.Errorf("600000 bytes at 1000000 a second took %v", took)
	}
}
