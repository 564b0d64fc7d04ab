package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
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

// Object returns an upload of data.
func Object(key string, data []byte) archive.Upload {
	return archive.Upload{Key: key, Body: bytes.NewReader(data), Size: int64(len(data)), SHA256: sha256.Sum256(data)}
}

// Put stores an object or fails the test.
func Put(t testing.TB, s archive.Store, key string, data []byte) {
	t.Helper()
	if err := s.Put(t.Context(), Object(key, data)); err != nil {
		t.Fatal(err)
	}
}

// Get reads an object or fails the test.
func Get(t testing.TB, s archive.Store, key string) []byte {
	t.Helper()
	body, size, err := s.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(data)) != size {
		t.Fatalf("get %q: %d bytes, announced were %d", key, len(data), size)
	}
	return data
}

// Keys lists keys or fails the test; common prefixes are marked by a `>`.
func Keys(t testing.TB, s archive.Store, q archive.Query) []string {
	t.Helper()
	keys := []string{}
	for e, err := range s.List(t.Context(), q) {
		if err != nil {
			t.Fatal(err)
		}
		if e.IsPrefix {
			e.Key = ">" + e.Key
		}
		keys = append(keys, e.Key)
	}
	return keys
}

// Noise returns n bytes that do not repeat soon.
func Noise(n int) []byte {
	data := make([]byte, n)
	x := uint32(2463534242)
	for i := range data {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		data[i] = byte(x)
	}
	return data
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

func list(t *testing.T, s archive.Store) {
	keys := []string{
		"a-b", "a.b", "a/b", "a/c/d", "a0", "b:20260101T000000Z-aaaa:0000000000000", "b:20260101T000000Z-aaaa:0000000000001",
		"b:20260101T000000Z-aaaa:manifest", "b:20260102T000000Z-bbbb:manifest", "b-c:20260101T000000Z-cccc:manifest",
		"b/c:20260101T000000Z-dddd:manifest", "c", "c!", "ca/b",
	}
	for _, key := range keys {
		Put(t, s, key, []byte(key))
	}
	sorted := slices.Sorted(slices.Values(keys))
	for _, test := range []struct {
		query archive.Query
		want  []string
	}{
		{archive.Query{}, sorted},
		{archive.Query{Prefix: "a"}, []string{"a-b", "a.b", "a/b", "a/c/d", "a0"}},
		{archive.Query{Prefix: "a/"}, []string{"a/b", "a/c/d"}},
		{archive.Query{Prefix: "a/c"}, []string{"a/c/d"}},
		{archive.Query{Prefix: "c"}, []string{"c", "c!", "ca/b"}},
		{archive.Query{Prefix: "nothing"}, []string{}},
		{archive.Query{Prefix: "a/b/c/"}, []string{}},
		{archive.Query{After: "a/b"}, sorted[slices.Index(sorted, "a/b")+1:]},
		{archive.Query{After: "a/bb"}, sorted[slices.Index(sorted, "a/b")+1:]},
		{archive.Query{After: "zzz"}, []string{}},
		{archive.Query{Prefix: "a/", After: "a/b"}, []string{"a/c/d"}},
		{archive.Query{Prefix: "a", After: "a.b"}, []string{"a/b", "a/c/d", "a0"}},
		{archive.Query{Delimiter: "/"}, []string{"a-b", "a.b", ">a/", "a0", "b-c:20260101T000000Z-cccc:manifest", ">b/",
			"b:20260101T000000Z-aaaa:0000000000000", "b:20260101T000000Z-aaaa:0000000000001", "b:20260101T000000Z-aaaa:manifest",
			"b:20260102T000000Z-bbbb:manifest", "c", "c!", ">ca/"}},
		{archive.Query{Prefix: "a/", Delimiter: "/"}, []string{"a/b", ">a/c/"}},
		{archive.Query{Delimiter: ":"}, []string{"a-b", "a.b", "a/b", "a/c/d", "a0", ">b-c:", ">b/c:", ">b:", "c", "c!", "ca/b"}},
		{archive.Query{Prefix: "b:", Delimiter: ":"}, []string{">b:20260101T000000Z-aaaa:", ">b:20260102T000000Z-bbbb:"}},
		{archive.Query{Prefix: "b", Delimiter: ":"}, []string{">b-c:", ">b/c:", ">b:"}},
		{archive.Query{Prefix: "b/", Delimiter: ":"}, []string{">b/c:"}},
		{archive.Query{Prefix: "b:20260101T000000Z-aaaa:", Delimiter: ":"}, []string{"b:20260101T000000Z-aaaa:0000000000000",
			"b:20260101T000000Z-aaaa:0000000000001", "b:20260101T000000Z-aaaa:manifest"}},
		// The keys behind After inside a group still make up the group.
		{archive.Query{Delimiter: ":", After: "b:"}, []string{">b:", "c", "c!", "ca/b"}},
		{archive.Query{Delimiter: ":", After: "b:20260101T000000Z-aaaa:manifest"}, []string{">b:", "c", "c!", "ca/b"}},
		{archive.Query{Delimiter: ":", After: "b:20260102T000000Z-bbbb:manifest"}, []string{"c", "c!", "ca/b"}},
		{archive.Query{Prefix: "b:", Delimiter: ":", After: "b:20260101T000000Z-aaaa:0"}, []string{">b:20260101T000000Z-aaaa:", ">b:20260102T000000Z-bbbb:"}},
		{archive.Query{Delimiter: ":", After: "a0"}, []string{">b-c:", ">b/c:", ">b:", "c", "c!", "ca/b"}},
	} {
		if diff := cmp.Diff(test.want, Keys(t, s, test.query)); diff != "" {
			t.Errorf("list %+v (-want +got):\n%s", test.query, diff)
		}
	}
	for e, err := range s.List(t.Context(), archive.Query{Prefix: "a/b"}) {
		if err != nil || e.Size != int64(len("a/b")) || e.Modified.IsZero() || e.IsPrefix {
			t.Errorf("entry %+v, error %v", e, err)
		}
	}
	for e, err := range s.List(t.Context(), archive.Query{Prefix: "a/", Delimiter: "/", After: "a/b"}) {
		if err != nil || e.Size != 0 || !e.Modified.IsZero() || !e.IsPrefix || e.Key != "a/c/" {
			t.Errorf("entry %+v, error %v", e, err)
		}
	}
}

// ManyKeys is more than a service lists on one page.
const ManyKeys = 1050

func listPages(t *testing.T, s archive.Store) {
	var keys, prefixes []string
	for i := range ManyKeys {
		keys = append(keys, fmt.Sprintf("n %04d:run:manifest", i))
		prefixes = append(prefixes, fmt.Sprintf(">n %04d:", i))
	}
	putAll(t, s, keys)
	if diff := cmp.Diff(keys, Keys(t, s, archive.Query{})); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(prefixes, Keys(t, s, archive.Query{Delimiter: ":"})); diff != "" {
		t.Errorf("with a delimiter (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(keys[3:], Keys(t, s, archive.Query{After: keys[2]})); diff != "" {
		t.Errorf("after the third (-want +got):\n%s", diff)
	}
	n := 0
	for range s.List(t.Context(), archive.Query{}) {
		if n++; n == 5 {
			break // and nothing else is yielded
		}
	}
	if err := s.Delete(t.Context(), keys...); err != nil {
		t.Fatal(err)
	}
	if left := Keys(t, s, archive.Query{}); len(left) != 0 {
		t.Errorf("%d keys are left after deleting %d", len(left), ManyKeys)
	}
}

// putAll stores small objects in parallel.
func putAll(t *testing.T, s archive.Store, keys []string) {
	t.Helper()
	work := make(chan string)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for key := range work {
				if err := s.Put(t.Context(), Object(key, []byte(key))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, key := range keys {
		work <- key
	}
	close(work)
	wg.Wait()
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
