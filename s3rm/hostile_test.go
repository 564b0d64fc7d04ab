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

// TestKeysOfOthersAreNotRemoved: a listing that holds keys which were not
// asked for ends in an error before anything of it is deleted.
func TestKeysOfOthersAreNotRemoved(t *testing.T) {
	const run = "20261120T031502Z-k3f9"
	var deleted atomic.Int64
	server := storetest.Hostile(t, func(w http.ResponseWriter, r *http.Request) {
		prefix := r.URL.Query().Get("prefix")
		switch {
		case r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, ":manifest"):
			w.WriteHeader(http.StatusNoContent)
		case r.Method != http.MethodGet:
			deleted.Add(1)
		case r.URL.Query().Get("delimiter") != "":
			fmt.Fprintf(w, `<ListBucketResult><CommonPrefixes><Prefix>x:%s:</Prefix></CommonPrefixes></ListBucketResult>`, run)
		case strings.HasPrefix(prefix, "x:"):
			fmt.Fprintf(w, `<ListBucketResult><Contents><Key>x:%s:0000000000000</Key><Size>1</Size></Contents>`+
				`<Contents><Key>y:%s:manifest</Key><Size>1</Size></Contents></ListBucketResult>`, run, run)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	r := tooltest.Server(server, server.Endpoint).RunBounded(t, nil, "s3rm", "-y", "bkt:x")
	if r.Code != 1 || !strings.Contains(r.Err, `lists "y:`+run+`:manifest", which does not begin with "x:`) {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	if deleted.Load() > 0 {
		t.Errorf("%d requests deleted something of it", deleted.Load())
	}
}
