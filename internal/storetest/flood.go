package storetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Flood is a bucket that somebody has filled to harm who reads it. It is made up
// as it is asked for, and takes what is stored besides.
type Flood struct {
	Names   []string // in the order of bytes
	Runs    int      // of each name, a second apart, the newest of now
	Objects int      // chunks of each run
	// Manifest is that of a run, or nil if it has none.
	Manifest func(name, run string) []byte

	Deleted  atomic.Int64 // objects
	Requests atomic.Int64
	newest   time.Time
	mu       sync.Mutex
	stored   map[string][]byte
}

// Serve starts a service whose every bucket is the flood.
func (f *Flood) Serve(t testing.TB) *Server {
	f.newest = time.Now().UTC().Add(-time.Second).Truncate(time.Second)
	f.stored = map[string][]byte{}
	server := httptest.NewUnstartedServer(f)
	server.Config.ErrorLog = quietLog()
	server.Start()
	t.Cleanup(server.Close)
	return &Server{Endpoint: server.URL, AccessKey: "testaccess", SecretKey: "testsecret0123456789", Region: "us-east-1", t: t}
}

// Run is run number n of each name.
func (f *Flood) Run(n int) string {
	return f.newest.Add(-time.Duration(f.Runs-1-n)*time.Second).Format("20060102T150405Z") + "-aaaa"
}

// ServeHTTP implements http.Handler.
func (f *Flood) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.Requests.Add(1)
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	body, _ := io.ReadAll(r.Body)
	switch {
	case r.Method == http.MethodPut:
		f.mu.Lock()
		f.stored[key] = body
		f.mu.Unlock()
	case r.Method == http.MethodPost:
		f.Deleted.Add(int64(strings.Count(string(body), "<Key>")))
		fmt.Fprint(w, "<DeleteResult></DeleteResult>")
	case r.Method == http.MethodDelete:
		f.Deleted.Add(1)
		w.WriteHeader(http.StatusNoContent)
	case key == "":
		f.list(w, r.URL.Query().Get("prefix"), r.URL.Query().Get("start-after"), r.URL.Query().Get("continuation-token"))
	default:
		f.object(w, key)
	}
}

func (f *Flood) object(w http.ResponseWriter, key string) {
	f.mu.Lock()
	data, ok := f.stored[key]
	f.mu.Unlock()
	if parts := strings.Split(key, ":"); !ok && len(parts) == 3 && parts[2] == "manifest" && f.Manifest != nil {
		data = f.Manifest(parts[0], parts[1])
		ok = data != nil
	}
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
		return
	}
	w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}

// list answers with a page of names, of the runs of a name, or of the objects of
// a run; token is how many have been listed before.
func (f *Flood) list(w http.ResponseWriter, prefix, after, token string) {
	at, _ := strconv.Atoi(token)
	parts := strings.Split(prefix, ":")
	n, entry := 0, func(int) string { return "" }
	group := "<CommonPrefixes><Prefix>%s:</Prefix></CommonPrefixes>"
	switch {
	case len(parts) == 1:
		n, entry = len(f.Names), func(i int) string { return fmt.Sprintf(group, f.Names[i]) }
	case len(parts) == 2 && slices.Contains(f.Names, parts[0]):
		n, entry = f.Runs, func(i int) string { return fmt.Sprintf(group, parts[0]+":"+f.Run(i)) }
	case len(parts) == 3:
		if own := f.own(prefix); len(own) > 0 {
			n, entry = len(own), func(i int) string { return own[i] }
			break
		}
		if last, ok := strings.CutPrefix(after, prefix); ok && token == "" {
			at, _ = strconv.Atoi(last)
			at++
		}
		if parts[2] == "" {
			n = f.Objects
		}
		entry = func(i int) string {
			return fmt.Sprintf("<Contents><Key>%s%013d</Key><Size>1</Size></Contents>", prefix, i)
		}
	}
	end := min(at+1000, n)
	fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%v</IsTruncated><NextContinuationToken>%d</NextContinuationToken>", end < n, end)
	for ; at < end; at++ {
		fmt.Fprint(w, entry(at))
	}
	fmt.Fprint(w, "</ListBucketResult>")
}

// own lists what has been stored under a prefix.
func (f *Flood) own(prefix string) (entries []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for key, data := range f.stored {
		if strings.HasPrefix(key, prefix) {
			entries = append(entries, fmt.Sprintf("<Contents><Key>%s</Key><Size>%d</Size></Contents>", key, len(data)))
		}
	}
	slices.Sort(entries)
	return entries
}
