package main

import (
	"net/http"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// TestOnlyDenialsAreToldAsADenial: by the exit status. It is another one as long
// as one chunk cannot be removed for another reason.
func TestOnlyDenialsAreToldAsADenial(t *testing.T) {
	server := storetest.Versitygw(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	store := tooltest.Server(server, proxy.URL)
	store.Must(t, nil, "s3put", "--create-bucket", "-z", "10", "bkt:x", "--", "head", "-c", "30", "/dev/zero")
	// Each object is deleted by a request of its own.
	proxy.Inject(storetest.Fault{Status: 501, Code: "NotImplemented", Match: func(r *http.Request) bool { return r.Method == http.MethodPost }})
	refuse := func(times, status int, code, end string) {
		proxy.Inject(storetest.Fault{Times: times, Status: status, Code: code, Match: func(r *http.Request) bool {
			return r.Method == http.MethodDelete && strings.HasSuffix(r.URL.Path, end)
		}})
	}
	refuse(0, 403, "AccessDenied", "0000")
	refuse(0, 403, "AccessDenied", "0001")
	refuse(1, 400, "InvalidArgument", "0002")
	for what, want := range []int{1, 8} {
		if r := store.Run(t, nil, "s3rm", "-y", "bkt:x"); r.Code != want || strings.Count(r.Err, ": access denied") != 2 {
			t.Errorf("removal %d: exit status %d, not %d\n%s", what, r.Code, want, r.Err)
		}
	}
}
