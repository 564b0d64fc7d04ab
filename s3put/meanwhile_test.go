package main

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// isCommit tells whether a request stores a manifest.
func isCommit(r *http.Request) bool {
	return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ":manifest")
}

// heldCommit makes the next manifest wait until go is closed; come is closed
// when it is there.
func heldCommit(proxy *storetest.Proxy) (come, release chan struct{}) {
	come, release = make(chan struct{}), make(chan struct{})
	proxy.Inject(storetest.Fault{Hold: release, Times: 1, Match: func(r *http.Request) bool {
		if !isCommit(r) {
			return false
		}
		close(come)
		return true
	}})
	return come, release
}

// TestRunRemovedBeforeItsManifestArrivesIsNotCommitted: another machine's s3rm
// takes a run for dead whose manifest is on its way, which never-die lets take
// for ever. What was good stays good.
func TestRunRemovedBeforeItsManifestArrivesIsNotCommitted(t *testing.T) {
	store, proxy, server := proxied(t)
	direct := tooltest.Server(server, server.Endpoint)
	good := tooltest.Random(1, 5000)
	store.Put(t, "bkt:x", good, 1000)
	come, release := heldCommit(proxy)
	p := store.Start(t, strings.NewReader(string(tooltest.Random(2, 5000))), "s3put", "-n", "-z", "1000", "bkt:x")
	<-come
	direct.Must(t, nil, "s3rm", "-y", "--incomplete", "--older-than", "0s", "bkt")
	close(release)
	if r := p.Wait(); r.Code != 1 || r.Out != "" || !strings.Contains(r.Err, "it has been taken back") {
		t.Errorf("exit status %d, stdout %q\n%s", r.Code, r.Out, r.Err)
	}
	store.Reads(t, "bkt:x", good)
	if got := runs(t, store); got != "1 committed, 0 superseded, 0 incomplete" {
		t.Errorf("there are %s", got)
	}
}

// TestRunClaimedBeforeItsManifestArrivesIsNotCommitted: the s3rm dies behind its
// claim. A later one takes over.
func TestRunClaimedBeforeItsManifestArrivesIsNotCommitted(t *testing.T) {
	store, proxy, server := proxied(t)
	second := storetest.NewProxy(t, server.Endpoint)
	remover := tooltest.Server(server, second.URL)
	good := tooltest.Random(1, 5000)
	store.Put(t, "bkt:x", good, 1000)
	come, release := heldCommit(proxy)
	p := store.Start(t, strings.NewReader(string(tooltest.Random(2, 5000))), "s3put", "-z", "1000", "bkt:x")
	<-come
	fault, removes := at(http.MethodPost, "")
	second.Inject(fault)
	rm := remover.Start(t, nil, "s3rm", "-y", "--incomplete", "--older-than", "0s", "bkt")
	<-removes
	rm.Signal(syscall.SIGKILL)
	rm.Wait()
	if got := runs(t, store); got != "1 committed, 0 superseded, 1 incomplete" {
		t.Errorf("behind the claim there are %s", got)
	}
	close(release)
	if r := p.Wait(); r.Code != 1 || r.Out != "" || !strings.Contains(r.Err, "claimed by a clean-up") {
		t.Errorf("exit status %d, stdout %q\n%s", r.Code, r.Out, r.Err)
	}
	store.Reads(t, "bkt:x", good)
	store.Must(t, nil, "s3rm", "-y", "--incomplete", "--older-than", "0s", "bkt")
	if got := runs(t, store); got != "1 committed, 0 superseded, 0 incomplete" {
		t.Errorf("after the next clean-up there are %s", got)
	}
	store.Reads(t, "bkt:x", good)
}

// TestLostAnswerToTheCommitThenDeniedKeepsTheArchive: the manifest is stored,
// the answer is lost, and the next try is refused, as when a policy changes.
func TestLostAnswerToTheCommitThenDeniedKeepsTheArchive(t *testing.T) {
	store, proxy, _ := proxied(t)
	data := tooltest.Random(3, 5000)
	for _, c := range []struct {
		name   string
		denied func(*http.Request) bool
		code   int
		said   string
	}{
		{"only to store", isCommit, 0, "the answer to the commit of \"x:"},
		{"to do anything", func(*http.Request) bool { return true }, 1, "it is not known whether it was stored"},
	} {
		t.Run(c.name, func(t *testing.T) {
			proxy.Reset()
			tried := false
			proxy.Inject(storetest.Fault{Lose: true, Times: 1, Match: isCommit})
			proxy.Inject(storetest.Fault{Status: 403, Code: "AccessDenied", Match: func(r *http.Request) bool {
				tried = tried || isCommit(r)
				return tried && c.denied(r)
			}})
			r := store.Run(t, strings.NewReader(string(data)), "s3put", "-z", "1000", "bkt:x")
			if r.Code != c.code || !strings.Contains(r.Err, c.said) {
				t.Errorf("exit status %d\n%s", r.Code, r.Err)
			}
			proxy.Reset()
			store.Reads(t, "bkt:x", data)
			store.Must(t, nil, "s3get", "--verify", "bkt:x")
			store.Must(t, nil, "s3rm", "-y", "bkt:x")
		})
	}
}

// TestLostAnswerWithoutTheRightToLookIsNotSuccess: for the manifest, whose place
// a clean-up may have claimed; a chunk's place nobody takes.
func TestLostAnswerWithoutTheRightToLookIsNotSuccess(t *testing.T) {
	store, proxy, _ := proxied(t)
	proxy.Inject(storetest.Fault{Status: 403, Code: "AccessDenied", Match: func(r *http.Request) bool { return r.Method != http.MethodPut }})
	proxy.Inject(storetest.Fault{Lose: true, Times: 1, Match: isChunk})
	proxy.Inject(storetest.Fault{Lose: true, Times: 1, Match: isCommit})
	data := tooltest.Random(4, 5000)
	r := store.Run(t, strings.NewReader(string(data)), "s3put", "-z", "1000", "bkt:x")
	if r.Code != 1 || !strings.Contains(r.Err, "it is not known whether it was stored") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	proxy.Reset()
	store.Reads(t, "bkt:x", data)
}

// TestHostsOfOneNameKeepEachOthersArchives: both start before the other has
// committed, and each has an archive of its own there already.
func TestHostsOfOneNameKeepEachOthersArchives(t *testing.T) {
	store, proxy, _ := proxied(t)
	old := map[string]string{}
	data := func(owner string, n byte) []byte { return tooltest.Random(owner[0]+n, 5000) }
	for _, owner := range []string{"alpha", "beta"} {
		old[owner] = strings.TrimSpace(store.Must(t, strings.NewReader(string(data(owner, 0))), "s3put", "--owner", owner, "-z", "1000", "bkt:x"))
	}
	come, release := heldCommit(proxy)
	start := func(owner string) *tooltest.Process {
		return store.Start(t, strings.NewReader(string(data(owner, 1))), "s3put", "--owner", owner, "-z", "1000", "bkt:x")
	}
	alpha := start("alpha")
	<-come
	beta := start("beta")
	runOf := map[string]string{"beta": strings.TrimSpace(must(t, beta))}
	store.Reads(t, old["alpha"], data("alpha", 0))
	close(release)
	runOf["alpha"] = strings.TrimSpace(must(t, alpha))
	for owner, address := range runOf {
		store.Reads(t, address, data(owner, 1))
		if r := store.Run(t, nil, "s3get", old[owner]); r.Code != 4 {
			t.Errorf("what %s has superseded is left: %d\n%s", owner, r.Code, r.Err)
		}
	}
}

func must(t *testing.T, p *tooltest.Process) string {
	t.Helper()
	r := p.Wait()
	if r.Code != 0 {
		t.Fatalf("exit status %d\n%s", r.Code, r.Err)
	}
	return r.Out
}

// TestRunOfTheFutureIsPassedOver by whoever reads its name or stores to it, and
// reads by its address.
func TestRunOfTheFutureIsPassedOver(t *testing.T) {
	store := tooltest.File(t)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:other")
	address := store.Put(t, "bkt:x", []byte("ahead"), 10)
	run := address[strings.LastIndexByte(address, ':')+1:]
	const future = "20990101T000000Z-aaaa"
	for _, key := range store.Keys(t, "bkt") {
		name := store.Dir + "/bkt/" + key
		data, err := os.ReadFile(name)
		if err == nil && strings.HasPrefix(key, "x:") {
			moved := strings.ReplaceAll(string(data), run, future)
			err = errors.Join(os.Remove(name), os.WriteFile(strings.ReplaceAll(name, run, future), []byte(moved), 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if r := store.Run(t, nil, "s3get", "bkt:x"); r.Code != 4 || r.Out != "" || !strings.Contains(r.Err, "s3get: warning: the run "+future+" is passed over: ") {
		t.Errorf("exit status %d, %q\n%s", r.Code, r.Out, r.Err)
	}
	r := store.Run(t, strings.NewReader("now"), "s3put", "bkt:x")
	if r.Code != 0 || !strings.HasPrefix(r.Out, "bkt:x:"+time.Now().UTC().Format("2006")) || !strings.Contains(r.Err, "s3put: warning: ignored runs of \"x\"") {
		t.Errorf("exit status %d, %q\n%s", r.Code, r.Out, r.Err)
	}
	if r := store.Run(t, nil, "s3get", "bkt:x"); r.Code != 0 || r.Out != "now" || !strings.Contains(r.Err, "is passed over") {
		t.Errorf("exit status %d, %q\n%s", r.Code, r.Out, r.Err)
	}
	if r := store.Run(t, nil, "s3get", "bkt:x:"+future); r.Code != 0 || r.Out != "ahead" || !strings.Contains(r.Err, "s3get: warning: the run "+future) {
		t.Errorf("by its address: exit status %d, %q\n%s", r.Code, r.Out, r.Err)
	}
	if r := store.Run(t, nil, "s3ls", "bkt:x"); r.Code != 0 || strings.Count(r.Out, "\n") != 1 || !strings.Contains(r.Out, " committed ") || !strings.Contains(r.Err, "is passed over") {
		t.Errorf("exit status %d, %q\n%s", r.Code, r.Out, r.Err)
	}
	if out := store.Must(t, nil, "s3ls", "--json", "-r", "bkt:x"); !strings.Contains(out, `"state":"implausible","error":"its time 2099-01-01T00:00:00Z is in the future: `) {
		t.Errorf("s3ls shows %s", out)
	}
}

// TestStaleRunsAreRemovedWithKeepToo: napback stores with it.
func TestStaleRunsAreRemovedWithKeepToo(t *testing.T) {
	store := tooltest.File(t)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:other")
	kept := store.Put(t, "bkt:x", []byte("kept"), 10)
	dead := "20200101T000000Z-dead"
	name := store.Dir + "/bkt/x:" + dead + ":0000000000000"
	if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		age  time.Duration
		left int
	}{{47 * time.Hour, 1}, {49 * time.Hour, 0}} {
		when := time.Now().Add(-c.age)
		if err := os.Chtimes(name, when, when); err != nil {
			t.Fatal(err)
		}
		store.Must(t, strings.NewReader("new"), "s3put", "--keep", "bkt:x")
		if n := count(store, t, "x:"+dead, ""); n != c.left {
			t.Errorf("after %v %d objects of the dead run are left", c.age, n)
		}
	}
	store.Reads(t, kept, []byte("kept"))
}
