package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"napback/internal/archive"
)

// Conform checks that a store keeps every promise of archive.Store. fresh
// returns the store of an empty bucket.
func Conform(t *testing.T, fresh func(t *testing.T) archive.Store) {
	t.Run("round trip", func(t *testing.T) { roundTrip(t, fresh(t)) })
	t.Run("never overwrites", func(t *testing.T) { neverOverwrites(t, fresh(t)) })
	t.Run("one writer of many wins", func(t *testing.T) { oneWriterWins(t, fresh(t)) })
	t.Run("refuses a wrong hash", func(t *testing.T) { refusesWrongHash(t, fresh(t)) })
	t.Run("missing object", func(t *testing.T) { missingObject(t, fresh(t)) })
	t.Run("odd names", func(t *testing.T) { oddNames(t, fresh(t)) })
	t.Run("list", func(t *testing.T) { list(t, fresh(t)) })
	t.Run("list pages", func(t *testing.T) { listPages(t, fresh(t)) })
	t.Run("delete", func(t *testing.T) { deletes(t, fresh(t)) })
	t.Run("tells the time", func(t *testing.T) { tellsTime(t, fresh(t)) })
	t.Run("cancelled", func(t *testing.T) { cancelled(t, fresh(t)) })
}

func roundTrip(t *testing.T, s archive.Store) {
	for _, size := range []int{0, 1, 1000, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3 << 20} {
		for _, bulk := range []bool{false, true} {
			key := fmt.Sprintf("size/%d-%v", size, bulk)
			data := Noise(size)
			obj := Object(key, data)
			obj.Bulk = bulk
			// Where the body stands does not matter: the store rewinds it.
			if _, err := obj.Body.Seek(int64(size), io.SeekStart); err != nil {
				t.Fatal(err)
			}
			if err := s.Put(t.Context(), obj); err != nil {
				t.Fatal(err)
			}
			if got := Get(t, s, key); !bytes.Equal(got, data) {
				t.Errorf("%s: other bytes came back", key)
			}
		}
	}
	body, _, err := s.Get(t.Context(), "size/1000-false")
	if err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(body, Noise(1000)); err != nil {
		t.Errorf("the body as an io.Reader: %v", err)
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := body.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("read after Close: error %v, want one", err)
	}
}

func neverOverwrites(t *testing.T, s archive.Store) {
	first := []byte("first bytes")
	Put(t, s, "a:b", first)
	if err := s.Put(t.Context(), Object("a:b", first)); err != nil {
		t.Errorf("the same bytes once more: %v, want success", err)
	}
	for _, other := range []string{"other bytes", "first bytes and more", ""} {
		err := s.Put(t.Context(), Object("a:b", []byte(other)))
		if !errors.Is(err, archive.ErrExist) {
			t.Errorf("put of %q over %q: error %v, want ErrExist", other, first, err)
		}
	}
	if got := Get(t, s, "a:b"); !bytes.Equal(got, first) {
		t.Errorf("the object was overwritten with %q", got)
	}
}

func oneWriterWins(t *testing.T, s archive.Store) {
	const writers = 8
	var wg sync.WaitGroup
	results := make([]error, writers)
	for i := range writers {
		wg.Go(func() {
			results[i] = s.Put(t.Context(), Object("race/key", bytes.Repeat([]byte{byte(i)}, 50000)))
		})
	}
	wg.Wait()
	winner := -1
	for i, err := range results {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("writers %d and %d both won", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, archive.ErrExist):
			t.Errorf("writer %d: error %v, want ErrExist", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("no writer won")
	}
	if got := Get(t, s, "race/key"); !bytes.Equal(got, bytes.Repeat([]byte{byte(winner)}, 50000)) {
		t.Error("what is stored is not the winner's")
	}
}

func refusesWrongHash(t *testing.T, s archive.Store) {
	obj := Object("wrong", []byte("some data"))
	obj.SHA256[0] ^= 1
	if err := s.Put(t.Context(), obj); err == nil {
		t.Error("data that does not have the announced SHA-256 was stored")
	}
	if keys := Keys(t, s, archive.Query{}); len(keys) != 0 {
		t.Errorf("keys %q are left", keys)
	}
}

func missingObject(t *testing.T, s archive.Store) {
	Put(t, s, "there/is", []byte("x"))
	for _, key := range []string{"nothing", "there", "there/is/not", "there/isnt"} {
		if _, _, err := s.Get(t.Context(), key); !errors.Is(err, archive.ErrNotExist) {
			t.Errorf("get %q: error %v, want ErrNotExist", key, err)
		}
	}
}

// strangeNames are names that files have, and that URLs, XML and file systems
// like to mangle.
var strangeNames = []string{
	"with space", "two  spaces", "plus+sign", "per%cent", "per%20cent", "amp&er;sand", "quote'single", `quote"double`,
	"colon:a:b", "question?mark", "hash#mark", "semi;colon", "at@sign", "equal=s", "comma,", "dollar$", "star*",
	"tilde~", "hat^", "pipe|", "angle<b>", "back`tick", "brackets[1]", "braces{2}", "paren(3)", "ümläut", "日本語",
	"emoji-😀", "combining-e\u0301", "trailing ", "-dash", ".hidden", "!bang", "dir.with.dots/a", "a&amp;b",
}

func oddNames(t *testing.T, s archive.Store) {
	for _, name := range strangeNames {
		Put(t, s, "odd/"+name, []byte(name))
	}
	var want []string
	for _, name := range strangeNames {
		want = append(want, "odd/"+name)
		if got := Get(t, s, "odd/"+name); string(got) != name {
			t.Errorf("object %q holds %q", name, got)
		}
		if got := Keys(t, s, archive.Query{Prefix: "odd/" + name}); !slices.Contains(got, "odd/"+name) {
			t.Errorf("list with the prefix %q: %q", "odd/"+name, got)
		}
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, Keys(t, s, archive.Query{})); diff != "" {
		t.Errorf("listing (-want +got):\n%s", diff)
	}
	if err := s.Delete(t.Context(), want...); err != nil {
		t.Fatal(err)
	}
	if left := Keys(t, s, archive.Query{}); len(left) != 0 {
		t.Errorf("after deleting all: %q", left)
	}
}

func deletes(t *testing.T, s archive.Store) {
	for _, key := range []string{"d/e/f", "d/g", "h"} {
		Put(t, s, key, []byte(key))
	}
	if err := s.Delete(t.Context()); err != nil {
		t.Errorf("of nothing: %v", err)
	}
	if err := s.Delete(t.Context(), "missing"); err != nil {
		t.Errorf("of a missing key: %v", err)
	}
	if err := s.Delete(t.Context(), "d/e/f", "missing", "also/missing"); err != nil {
		t.Errorf("of a key and two missing ones: %v", err)
	}
	if diff := cmp.Diff([]string{"d/g", "h"}, Keys(t, s, archive.Query{})); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if err := s.Delete(t.Context(), "d/g"); err != nil {
		t.Errorf("of one key: %v", err)
	}
	// The name is free again, as an object where a directory may have been.
	Put(t, s, "d", []byte("d"))
	if diff := cmp.Diff([]string{"d", "h"}, Keys(t, s, archive.Query{})); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func cancelled(t *testing.T, s archive.Store) {
	Put(t, s, "k", Noise(1<<20))
	body, _, err := s.Get(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	ctx, cancel := context.WithCancel(t.Context())
	open, _, err := s.Get(ctx, "k")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	cancel()
	for name, err := range map[string]error{
		"put":    s.Put(ctx, Object("new", []byte("x"))),
		"delete": s.Delete(ctx, "k"),
		"get":    second(s.Get(ctx, "k")),
		"list":   firstError(s, ctx),
		"read":   readAll(open),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: error %v, want context.Canceled", name, err)
		}
	}
	if diff := cmp.Diff([]string{"k"}, Keys(t, s, archive.Query{})); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

func second(body io.ReadCloser, _ int64, err error) error {
	if body != nil {
		body.Close()
	}
	return err
}

func firstError(s archive.Store, ctx context.Context) error {
	for _, err := range s.List(ctx, archive.Query{}) {
		return err
	}
	return nil
}

func readAll(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
