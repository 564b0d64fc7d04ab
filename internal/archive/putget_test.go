package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/internal/archive"
	"napback/internal/store"
)

// bucket returns a new bucket in a directory store, and that directory.
func bucket(t *testing.T) (archive.Store, string) {
	t.Helper()
	dir := t.TempDir()
	service, err := store.Open(t.Context(), store.Config{Options: store.Options{Endpoint: "file://" + dir}})
	if err != nil {
		t.Fatal(err)
	}
	if err := service.CreateBucket(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	return service.Bucket("b"), filepath.Join(dir, "b")
}

func putOptions(name string, chunk int64) archive.PutOptions {
	return archive.PutOptions{
		Name: name, ChunkSize: chunk, Host: "h", Tool: "test",
		Budget: archive.Budget{Concurrency: 3, Memory: 1 << 20},
	}
}

func getOptions() archive.GetOptions {
	return archive.GetOptions{Budget: archive.Budget{Concurrency: 3, Memory: 1 << 20}}
}

func random(n int) []byte {
	data := make([]byte, n)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	return data
}

func mustPut(t *testing.T, st archive.Store, name string, data []byte, chunk int64) *archive.Manifest {
	t.Helper()
	m, err := archive.Put(t.Context(), st, bytes.NewReader(data), putOptions(name, chunk))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustGet(t *testing.T, st archive.Store, name string) []byte {
	t.Helper()
	m, err := archive.Newest(t.Context(), st, name, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := archive.Get(t.Context(), st, m, &out, getOptions()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// keys lists all keys of a bucket.
func keys(t *testing.T, st archive.Store) []string {
	t.Helper()
	var all []string
	for e, err := range st.List(t.Context(), archive.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Key)
	}
	return all
}

func TestStreamsOfEverySizeComeBack(t *testing.T) {
	const chunk = 1000
	for _, size := range []int{0, 1, chunk - 1, chunk, chunk + 1, 2*chunk - 1, 2 * chunk, 2*chunk + 1, 25*chunk + 7} {
		for _, spool := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d bytes, spool %v", size, spool), func(t *testing.T) {
				st, dir := bucket(t)
				data := random(size)
				put, get := putOptions("a/b", chunk), getOptions()
				if spool {
					put.Budget.Spool, get.Budget.Spool = t.TempDir(), t.TempDir()
				}
				m, err := archive.Put(t.Context(), st, bytes.NewReader(data), put)
				if err != nil {
					t.Fatal(err)
				}
				if want := int64((size + chunk - 1) / chunk); m.Chunks != want || m.Bytes != int64(size) {
					t.Errorf("manifest says %d bytes in %d chunks; want %d in %d", m.Bytes, m.Chunks, size, want)
				}
				var out bytes.Buffer
				if err := archive.Get(t.Context(), st, m, &out, get); err != nil || !bytes.Equal(out.Bytes(), data) {
					t.Fatalf("got %d bytes, %v", out.Len(), err)
				}
				checkByHand(t, dir, m, data)
				for _, s := range []string{put.Budget.Spool, get.Budget.Spool} {
					if s != "" {
						if left, _ := os.ReadDir(s); len(left) > 0 {
							t.Errorf("the spool holds %v", left)
						}
					}
				}
			})
		}
	}
}

// checkByHand reads an archive as napback-archive(7) says, without our code.
func checkByHand(t *testing.T, dir string, m *archive.Manifest, data []byte) {
	t.Helper()
	base := filepath.Join(dir, m.Name+":"+string(m.Run)+":")
	paths, _ := filepath.Glob(base + "0*")
	var all, sums []byte
	for _, path := range paths {
		part, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part...)
		sum := sha256.Sum256(part)
		sums = append(sums, hex.EncodeToString(sum[:])+"  "+path[len(base):]+"\n"...)
	}
	stored, err := os.ReadFile(base + "SHA256SUMS")
	if err != nil || !bytes.Equal(stored, sums) {
		t.Errorf("SHA256SUMS is\n%swant\n%s%v", stored, sums, err)
	}
	if !bytes.Equal(all, data) {
		t.Error("the chunks in key order are not the stream")
	}
}

func TestNewRunSupersedesTheOldOne(t *testing.T) {
	st, _ := bucket(t)
	mustPut(t, st, "n", []byte("old"), 10)
	mustPut(t, st, "other", []byte("other"), 10)
	m := mustPut(t, st, "n", []byte("new"), 10)
	for _, key := range keys(t, st) {
		if strings.HasPrefix(key, "n:") && !strings.Contains(key, string(m.Run)) {
			t.Errorf("%s is still there", key)
		}
	}
	if got := mustGet(t, st, "n"); string(got) != "new" {
		t.Errorf("got %q", got)
	}
	if got := mustGet(t, st, "other"); string(got) != "other" {
		t.Errorf("got %q", got)
	}
}

func TestKeepKeepsSupersededRuns(t *testing.T) {
	st, _ := bucket(t)
	old := mustPut(t, st, "n", []byte("old"), 10)
	o := putOptions("n", 10)
	o.Keep = true
	if _, err := archive.Put(t.Context(), st, strings.NewReader("new"), o); err != nil {
		t.Fatal(err)
	}
	infos, err := describeName(t, st, "n", true)
	if err != nil || len(infos) != 2 || infos[0].State != archive.Superseded || infos[1].State != archive.Committed {
		t.Fatalf("got %+v, %v", infos, err)
	}
	m, err := archive.ReadManifest(t.Context(), st, "n", old.Run)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := archive.Get(t.Context(), st, m, &out, getOptions()); err != nil || out.String() != "old" {
		t.Errorf("the superseded run reads %q, %v", &out, err)
	}
}

// A committed run that is newer than ours must survive, and so must ours:
// two hosts can store the same name at the same time.
func TestLaterRunOfAnotherProcessSurvives(t *testing.T) {
	st, _ := bucket(t)
	o := putOptions("n", 10)
	o.Verdict = func(context.Context) (map[string]string, error) {
		mustPut(t, st, "n", []byte("later"), 10)
		return nil, nil
	}
	m, err := archive.Put(t.Context(), st, strings.NewReader("ours"), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustGet(t, st, "n"); string(got) != "later" {
		t.Errorf("the name reads %q", got)
	}
	if _, err := archive.ReadManifest(t.Context(), st, "n", m.Run); err != nil {
		t.Error(err)
	}
}

func (failingReader) Read([]byte) (int, error) { return 0, errors.New("input/output error") }

func TestIncompleteRunsAreRemovedOnlyWhenStale(t *testing.T) {
	for _, c := range []struct {
		name string
		age  time.Duration
		gone bool
	}{{"young", archive.StaleAfter - time.Hour, false}, {"stale", archive.StaleAfter + time.Hour, true}} {
		t.Run(c.name, func(t *testing.T) {
			st, dir := bucket(t)
			o := putOptions("n", 10)
			o.Verdict = func(context.Context) (map[string]string, error) { return nil, errors.New("failed") }
			noClean := &faulty{Store: st, delete: func([]string) error { return errors.New("killed") }}
			_, _ = archive.Put(t.Context(), noClean, bytes.NewReader(random(95)), o)
			old := keys(t, st)
			if len(old) != 10 {
				t.Fatalf("left %q", old)
			}
			at := time.Now().Add(-c.age)
			for _, key := range old {
				if err := os.Chtimes(filepath.Join(dir, key), at, at); err != nil {
					t.Fatal(err)
				}
			}
			mustPut(t, st, "n", []byte("new"), 10)
			left := 0
			for _, key := range keys(t, st) {
				for _, o := range old {
					if key == o {
						left++
					}
				}
			}
			if (left == 0) != c.gone {
				t.Errorf("%d of its 10 chunks are left", left)
			}
		})
	}
}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
