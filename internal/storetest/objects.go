package storetest

import (
	"bytes"
	"crypto/sha256"
	"io"
	"sync"
	"testing"

	"napback/internal/archive"
)

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
