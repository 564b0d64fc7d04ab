package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"napback/internal/archive"
	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// TestChunkNumbersThatCannotBe cost no memory and no lines: what is missing is
// bounded by the manifest.
func TestChunkNumbersThatCannotBe(t *testing.T) {
	store := tooltest.File(t)
	store.Must(t, nil, "s3put", "--create-bucket", "b:other")
	address := store.Put(t, "b:x", tooltest.Random(1, 500), 100)
	run := strings.TrimPrefix(address, "b:")
	for _, number := range []string{"09223372036854775807", "0000099999999", "0", "0000000000000000", "0x"} {
		write(t, filepath.Join(store.Dir, "b", run+":"+number), []byte("x"))
	}
	for n := 1; n <= 3; n++ {
		if err := os.Remove(filepath.Join(store.Dir, "b", fmt.Sprintf("%s:%013d", run, n))); err != nil {
			t.Fatal(err)
		}
	}
	r := store.RunBounded(t, nil, "s3ls", "--chunks", "b:x")
	if r.Code != 0 || strings.Count(r.Out, "\n") != 9 || strings.Count(r.Out, "FOREIGN") != 5 || strings.Count(r.Out, " 1-3      300 B  MISSING\n") != 1 {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Out, r.Err)
	}
	r = store.RunBounded(t, nil, "s3ls", "--chunks", "--json", "b:x")
	if r.Code != 0 || !strings.Contains(r.Out, `"chunk":1,"last":3,"bytes":300,"missing":true}`) ||
		!strings.Contains(r.Out, `"chunk":9223372036854775807,"bytes":1,"foreign":true}`) {
		t.Errorf("exit status %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

// TestSumsOfAnySizeAreBounded: SHA256SUMS of 800 MiB, which the manifest asks
// for.
func TestSumsOfAnySizeAreBounded(t *testing.T) {
	store := tooltest.File(t)
	run, _ := archive.NewRun(time.Now(), "")
	const chunks = 800 << 20 / 80
	manifest, err := json.Marshal(archive.Manifest{
		Format: "napback-archive/1", Name: "x", Run: run, Bytes: chunks, ChunkBytes: 1, Chunks: chunks, Sums: strings.Repeat("0", 64),
	})
	if err != nil {
		t.Fatal(err)
	}
	base := filepath.Join(store.Dir, "b", "x:"+string(run)+":")
	if err := os.Mkdir(filepath.Join(store.Dir, "b"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, base+"manifest", manifest)
	write(t, base+"SHA256SUMS", nil)
	if err := os.Truncate(base+"SHA256SUMS", chunks*80); err != nil {
		t.Fatal(err)
	}
	if r := store.RunBounded(t, nil, "s3ls", "--chunks", "b:x"); r.Code != 0 || !strings.Contains(r.Out, "0-10485759") {
		t.Errorf("exit status %d\n%.500s%s", r.Code, r.Out, r.Err)
	}
}

// page is an answer to a listing.
func page(truncated bool, token string, entries ...string) string {
	return fmt.Sprintf(`<?xml version="1.0"?><ListBucketResult><IsTruncated>%v</IsTruncated><NextContinuationToken>%s</NextContinuationToken>%s</ListBucketResult>`,
		truncated, token, strings.Join(entries, ""))
}

func object(key string) string {
	return "<Contents><Key>" + key + "</Key><Size>1</Size></Contents>"
}

func group(key string) string {
	return "<CommonPrefixes><Prefix>" + key + "</Prefix></CommonPrefixes>"
}

// hostileListing is what a service answers, and what s3ls says to it.
type hostileListing struct {
	answer func(w http.ResponseWriter, r *http.Request)
	want   string
	code   int
}

// hostileListings count their requests in n.
func hostileListings(n *atomic.Int64) map[string]hostileListing {
	return map[string]hostileListing{
		"endless page": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "<ListBucketResult>")
			storetest.Endless(w, strings.Repeat(group("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:"), 100))
		}, "an answer that is too long", 1},
		"endless key": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "<ListBucketResult><CommonPrefixes><Prefix>")
			storetest.Endless(w, strings.Repeat("a", 10_000))
		}, "an answer that is too long", 1},
		"endless refusal": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(403)
			storetest.Endless(w, strings.Repeat("<Error><Code>AccessDenied</Code>", 1000))
		}, "access denied", 8},
		"endless failure": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(500)
			storetest.Endless(w, strings.Repeat("x", 10_000))
		}, "the service answered 500", 1},
		"endless headers": {func(w http.ResponseWriter, r *http.Request) {
			for i := range 3000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("x", 1000))
			}
		}, "exceeded", 1},
		"the same page for ever": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, page(true, fmt.Sprint(n.Add(1)), object("a"), object("b")))
		}, `lists "a" after "b"`, 1},
		"the same token for ever": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, page(true, "again", object(fmt.Sprintf("%020d", n.Add(1)))))
		}, "more, but not where", 1},
		"empty pages for ever": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, page(true, fmt.Sprint(n.Add(1))))
		}, "10000 pages in a row without an entry", 1},
		"too many entries at once": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, page(false, "", strings.Repeat("<Contents/>", 2000)))
		}, "2000 entries at once", 1},
		"no key": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, page(false, "", "<Contents/>"))
		}, "an empty key", 1},
		"behind the delimiter": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, page(false, "", object("a:b:c")))
		}, `has a ":" behind the prefix`, 1},
		"no common prefix": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, page(false, "", group("abc")))
		}, "no common prefix", 1},
		"a negative size": {func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, page(false, "", "<Contents><Key>k</Key><Size>-5</Size></Contents>"))
		}, "negative size", 1},
	}
}

// TestHostileListingsEnd: each in an error that says what is wrong, and inside
// the memory.
func TestHostileListingsEnd(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	var n atomic.Int64
	for name, c := range hostileListings(&n) {
		t.Run(name, func(t *testing.T) {
			n.Store(0)
			server := storetest.Hostile(t, c.answer)
			r := tooltest.Server(server, server.Endpoint).RunBounded(t, nil, "s3ls", "bkt")
			if r.Code != c.code || !strings.Contains(r.Err, c.want) {
				t.Errorf("exit status %d, want %d and %q\n%.300s%.1000s", r.Code, c.code, c.want, r.Out, r.Err)
			}
		})
	}
}

// TestHostileAnswersInParallel take no more memory than one: sixteen names are
// looked at, and each gets the most that there can be.
func TestHostileAnswersInParallel(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	var names []string
	for i := range 200 {
		names = append(names, group(fmt.Sprintf("n%03d:", i)))
	}
	for name, text := range map[string]string{
		"tags": strings.Repeat("<Contents/>", 24_000), "a key": object(strings.Repeat("k", 4<<20-1000)),
		"depth": strings.Repeat("<a>", 45_000), "attributes": "<a" + strings.Repeat(` a="a"`, 690_000) + "/>",
	} {
		t.Run(name, func(t *testing.T) {
			server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Get("prefix") == "" {
					fmt.Fprint(w, page(false, "", names...))
					return
				}
				fmt.Fprint(w, page(false, "", text))
			})
			r := tooltest.Server(server, server.Endpoint).RunBounded(t, nil, "s3ls", "bkt")
			if r.Code != 1 {
				t.Errorf("exit status %d\n%.1000s", r.Code, r.Err)
			}
		})
	}
}
