package main

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// keys is a bucket bkt that holds objects under any keys, as S3 itself does.
// The servers of other tests keep them in files, and refuse keys that begin with a
// slash, as those of s3napback do.
type keys struct {
	mu      sync.Mutex
	objects map[string]string
	deleted []string
	most    int // objects that it deletes before it denies it
}

func (k *keys) answer(w http.ResponseWriter, r *http.Request) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, inBucket := strings.CutPrefix(r.URL.Path, "/bkt/")
	text, exists := k.objects[key]
	switch {
	case r.Method == http.MethodPost: // it knows no batches
		w.WriteHeader(http.StatusNotImplemented)
		io.WriteString(w, "<Error><Code>NotImplemented</Code></Error>")
	case r.Method == http.MethodDelete && len(k.deleted) == k.most:
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
	case r.Method == http.MethodDelete:
		k.deleted = append(k.deleted, key)
		delete(k.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !inBucket || key == "":
		k.list(w, r)
	case exists:
		io.WriteString(w, text)
	default:
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
	}
}

// allow lets it delete so many objects in all, and returns the keys of what it has
// deleted and of what it still has.
func (k *keys) allow(most int) (deleted, left []string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.most = most
	return slices.Clone(k.deleted), slices.Sorted(maps.Keys(k.objects))
}

func (k *keys) list(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	rolled := map[string]bool{}
	var out strings.Builder
	for _, key := range slices.Sorted(maps.Keys(k.objects)) {
		rest, ok := strings.CutPrefix(key, q.Get("prefix"))
		if !ok || key <= q.Get("start-after") {
			continue
		}
		if before, _, found := strings.Cut(rest, q.Get("delimiter")); found && q.Get("delimiter") != "" {
			rolled[q.Get("prefix")+before+q.Get("delimiter")] = true
			continue
		}
		fmt.Fprintf(&out, "<Contents><Key>%s</Key><Size>%d</Size><LastModified>2013-03-05T01:02:03Z</LastModified></Contents>", key, len(k.objects[key]))
	}
	for _, prefix := range slices.Sorted(maps.Keys(rolled)) {
		fmt.Fprintf(&out, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", prefix)
	}
	fmt.Fprintf(w, "<ListBucketResult><IsTruncated>false</IsTruncated>%s</ListBucketResult>", &out)
}

// Names of s3napback's archives begin with a slash, and may hold two.
func TestNamesThatBeginWithASlashAreReadAndRemoved(t *testing.T) {
	k := &keys{most: 100, objects: map[string]string{
		"home-0-FULL:20260101T000000Z-aaaa:0000000000000": "ours", "home-0-FULL:0000000000000": "without", "other": "x",
	}}
	for n := range 3 {
		k.objects[fmt.Sprintf("/home-0-FULL:%013d", n)] = fmt.Sprint(n)
		k.objects[fmt.Sprintf("/srv//www-1-DIFF:%013d", n)] = fmt.Sprint(n)
	}
	server := storetest.Hostile(t, k.answer)
	store := tooltest.Server(server, server.Endpoint)
	for _, name := range []string{"/home-0-FULL", "/srv//www-1-DIFF"} {
		if out := store.Must(t, nil, "s3get", "--js3tream", "bkt:"+name); out != "012" {
			t.Errorf("%s reads as %q", name, out)
		}
	}
	if out := store.Must(t, nil, "s3ls", "--js3tream", "--names", "bkt:/"); out != "/home-0-FULL\n/srv//www-1-DIFF\n" {
		t.Errorf("the names are %q", out)
	}
	for _, prefix := range []string{"bkt:home", "bkt:/home"} {
		out := store.Must(t, nil, "s3ls", "--js3tream", prefix)
		if strings.Count(out, "\n") != 2 || !strings.Contains(out, "  js3tream    /home-0-FULL\n") || !strings.Contains(out, "  js3tream    home-0-FULL\n") {
			t.Errorf("%s lists %q", prefix, out)
		}
	}
	_, before := k.allow(1) // then it is interrupted
	r := store.Run(t, nil, "s3rm", "-y", "--js3tream", "bkt:/home-0-FULL")
	if deleted, _ := k.allow(100); r.Code != 8 || !slices.Equal(deleted, []string{"/home-0-FULL:0000000000000"}) {
		t.Errorf("exit status %d, removed %q\n%s", r.Code, deleted, r.Err)
	}
	if r := store.Run(t, nil, "s3get", "--js3tream", "bkt:/home-0-FULL"); r.Code != 5 || r.Out != "" {
		t.Errorf("what is left reads as %q, exit status %d", r.Out, r.Code)
	}
	store.Must(t, nil, "s3rm", "-y", "--js3tream", "bkt:/home-0-FULL")
	_, left := k.allow(0)
	if want := slices.DeleteFunc(before, func(key string) bool { return strings.HasPrefix(key, "/home-0-FULL:") }); !slices.Equal(left, want) {
		t.Errorf("left are %q, not %q", left, want)
	}
}
