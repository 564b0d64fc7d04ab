package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// TestNoRedirectIsFollowed: neither data nor signature go to another host,
// whatever kind of redirect it is, and the error names where it leads.
func TestNoRedirectIsFollowed(t *testing.T) {
	var elsewhere atomic.Int64
	other := storetest.Hostile(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, tool := range [][]string{{"s3put", "bkt:x"}, {"s3get", "--verify", "bkt:x"}, {"s3ls", "bkt"}, {"s3rm", "-y", "bkt:x"}} {
			server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, strings.Replace(other.Endpoint, "127.0.0.1", "localhost", 1)+r.URL.Path, status)
			})
			r := tooltest.Server(server, server.Endpoint).Run(t, strings.NewReader("data"), tool[0], tool[1:]...)
			if r.Code != 1 || !strings.Contains(r.Err, `the service redirects to "http://localhost:`) {
				t.Errorf("%d, %s: exit status %d\n%s", status, tool, r.Code, r.Err)
			}
		}
	}
	if elsewhere.Load() > 0 {
		t.Errorf("%d requests went to another host", elsewhere.Load())
	}
}

// TestUploadIsNotRedirected: a PUT neither, which would take its body along.
func TestUploadIsNotRedirected(t *testing.T) {
	var elsewhere atomic.Int64
	other := storetest.Hostile(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			http.Redirect(w, r, other.Endpoint+r.URL.Path, http.StatusTemporaryRedirect)
			return
		}
		if r.Method == http.MethodGet {
			fmt.Fprint(w, "<ListBucketResult></ListBucketResult>")
		}
	})
	r := tooltest.Server(server, server.Endpoint).Run(t, strings.NewReader("data"), "s3put", "--attempts", "2", "bkt:x")
	if r.Code != 1 || !strings.Contains(r.Err, "no redirect is followed") || elsewhere.Load() > 0 {
		t.Errorf("exit status %d, %d requests elsewhere\n%s", r.Code, elsewhere.Load(), r.Err)
	}
}

// TestEndlessAnswersToAnUploadEnd: of success and of failure.
func TestEndlessAnswersToAnUploadEnd(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	for status, want := range map[int]int{200: 1, 403: 8, 500: 1} {
		server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPut {
				fmt.Fprint(w, "<ListBucketResult></ListBucketResult>")
				return
			}
			w.WriteHeader(status)
			storetest.Endless(w, strings.Repeat("x", 10_000))
		})
		r := tooltest.Server(server, server.Endpoint).RunBounded(t, strings.NewReader(""), "s3put", "--attempts", "2", "bkt:x")
		if r.Code != want || strings.Contains(r.Err, "SDK") {
			t.Errorf("%d: exit status %d\n%s", status, r.Code, r.Err)
		}
	}
}
