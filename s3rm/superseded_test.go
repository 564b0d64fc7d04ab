package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"napback/internal/archive"
	"napback/internal/store"
	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// both runs a test on a directory and on a real server, with the bucket bkt and
// direct access to it.
func both(t *testing.T, test func(t *testing.T, s tooltest.Store, bucket archive.Store)) {
	t.Run("file", func(t *testing.T) {
		s := tooltest.File(t)
		s.Must(t, nil, "s3put", "--create-bucket", "bkt:first")
		s.Must(t, nil, "s3rm", "-y", "bkt:first")
		test(t, s, open(t, store.Options{Endpoint: "file://" + s.Dir}))
	})
	t.Run("versitygw", func(t *testing.T) {
		server := storetest.Versitygw(t)
		s := tooltest.Server(server, server.Endpoint)
		s.Must(t, nil, "s3put", "--create-bucket", "bkt:first")
		s.Must(t, nil, "s3rm", "-y", "bkt:first")
		test(t, s, open(t, store.Options{Endpoint: server.Endpoint, KeyFile: server.KeyFile(t), Region: server.Region}))
	})
}

func open(t *testing.T, o store.Options) archive.Store {
	t.Helper()
	service, err := store.Open(t.Context(), store.Config{Options: o})
	if err != nil {
		t.Fatal(err)
	}
	return service.Bucket("bkt")
}

// forge stores what somebody who can write to the bucket wants to be the newest
// run: a manifest of an empty archive, and with sums what makes it whole.
func forge(t *testing.T, bucket archive.Store, name string, at time.Time, chunks int64) archive.Run {
	t.Helper()
	run, _ := archive.NewRun(at, "")
	sum := sha256.Sum256(nil)
	m, err := json.Marshal(archive.Manifest{
		Format: "napback-archive/1", Name: name, Run: run, Host: "forger", Created: at, Committed: at, Tool: "forger",
		ChunkBytes: 1, Chunks: chunks, Bytes: chunks, Sums: fmt.Sprintf("%x", sum),
	})
	if err != nil {
		t.Fatal(err)
	}
	storetest.Put(t, bucket, name+":"+string(run)+":manifest", m)
	return run
}

// listed returns the runs of the bucket in their states, oldest first.
func listed(t *testing.T, s tooltest.Store) map[archive.State][]string {
	t.Helper()
	found := map[archive.State][]string{}
	for line := range strings.Lines(s.Must(t, nil, "s3ls", "--json", "-r", "bkt")) {
		var run struct {
			Name, Run string
			State     archive.State
		}
		if err := json.Unmarshal([]byte(line), &run); err != nil {
			t.Fatal(err)
		}
		found[run.State] = append(found[run.State], "bkt:"+run.Name+":"+run.Run)
	}
	return found
}

func put(t *testing.T, s tooltest.Store, text string, args ...string) string {
	t.Helper()
	return strings.TrimSpace(s.Must(t, strings.NewReader(text), "s3put", append([]string{"--keep"}, args...)...))
}

// TestForgedRunSupersedesNothing: neither one that is dated into the future
// nor one of today that is not whole, nor one that was never committed.
func TestForgedRunSupersedesNothing(t *testing.T) {
	both(t, func(t *testing.T, s tooltest.Store, bucket archive.Store) {
		var genuine []string
		for i := range 9 {
			genuine = append(genuine, put(t, s, fmt.Sprint("genuine ", i), "bkt:x"))
		}
		future := forge(t, bucket, "x", time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC), 0)
		storetest.Put(t, bucket, "x:"+string(future)+":SHA256SUMS", nil) // even whole
		forge(t, bucket, "x", time.Now().Add(time.Hour), 0)              // without SHA256SUMS
		forge(t, bucket, "x", time.Now().Add(2*time.Hour), 3)
		storetest.Put(t, bucket, "x:20990102T000000Z-aaaa:0000000000000", []byte("x"))
		r := s.Run(t, nil, "s3rm", "-y", "--superseded", "bkt")
		if r.Code != 0 || strings.Count(r.Err, "supersedes nothing") != 3 {
			t.Errorf("exit status %d\n%s", r.Code, r.Err)
		}
		s.Reads(t, genuine[8], []byte("genuine 8"))
		for _, address := range genuine[:8] {
			if r := s.Run(t, nil, "s3get", address); r.Code != 4 {
				t.Errorf("%s is superseded by a genuine run, but s3get exits with %d\n%s", address, r.Code, r.Err)
			}
		}
		if n := len(slices.Concat(listed(t, s)[archive.Committed], listed(t, s)[archive.Superseded])); n != 3 {
			t.Errorf("%d plausible committed runs are left, not the genuine one and two forged ones", n)
		}
	})
}

// TestRunThatAnotherBuildsOnStays: directly or through others, under whatever
// name, and named by any of the fields that say so.
func TestRunThatAnotherBuildsOnStays(t *testing.T) {
	both(t, func(t *testing.T, s tooltest.Store, bucket archive.Store) {
		run := func(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
		full := put(t, s, "full", "bkt:job-0-FULL")
		first := put(t, s, "first", "--parent", run(full), "bkt:job-1-DIFF")
		second := put(t, s, "second", "-m", "parent="+run(first), "bkt:job-2-DIFF")
		other := put(t, s, "other", "bkt:other-0-FULL")
		chained := put(t, s, "chained", "-m", "chain="+run(other), "bkt:other-2-DIFF")
		// Nothing builds on these two but one another.
		old := put(t, s, "old", "bkt:old-0-FULL")
		oldDiff := put(t, s, "old diff", "--parent", run(old), "bkt:old-1-DIFF")
		stay := []string{full, first, second, other, chained}
		for _, name := range []string{"job-0-FULL", "job-1-DIFF", "other-0-FULL", "old-0-FULL", "old-1-DIFF"} {
			stay = append(stay, put(t, s, "new", "bkt:"+name))
		}
		for _, args := range [][]string{{"bkt:job-0-FULL"}, {"bkt:job-1-DIFF"}, {"bkt:other-0-FULL"}, {"bkt"}} {
			s.Must(t, nil, "s3rm", append([]string{"-y", "--superseded"}, args...)...)
		}
		all := slices.Concat(listed(t, s)[archive.Committed], listed(t, s)[archive.Superseded])
		slices.Sort(all)
		slices.Sort(stay)
		if !slices.Equal(all, stay) {
			t.Errorf("left are %q, not %q; %s and %s had to go", all, stay, old, oldDiff)
		}
	})
}

// TestOneUnreadableManifestRemovesNothing: what it builds on is not known.
func TestOneUnreadableManifestRemovesNothing(t *testing.T) {
	both(t, func(t *testing.T, s tooltest.Store, bucket archive.Store) {
		put(t, s, "old", "bkt:x")
		put(t, s, "new", "bkt:x")
		run, _ := archive.NewRun(time.Now(), "")
		storetest.Put(t, bucket, "another:"+string(run)+":manifest", []byte("{}"))
		for _, args := range [][]string{{"bkt"}, {"bkt:x"}, {"--incomplete", "bkt"}} {
			r := s.Run(t, nil, "s3rm", append([]string{"-y", "--superseded"}, args...)...)
			if r.Code != 1 || !strings.Contains(r.Err, `s3rm: error: nothing is removed, because it is not known what "another:`) {
				t.Errorf("exit status %d\n%s", r.Code, r.Err)
			}
		}
		if n := len(listed(t, s)[archive.Superseded]); n != 1 {
			t.Errorf("%d superseded runs are left, not the one", n)
		}
		s.Must(t, nil, "s3rm", "-y", "bkt:another:"+string(run))
		s.Must(t, nil, "s3rm", "-y", "--superseded", "bkt:x")
		if n := len(listed(t, s)[archive.Superseded]); n != 0 {
			t.Errorf("%d superseded runs are left", n)
		}
	})
}

// TestRunOfAnotherOwnerSupersedesNothing: two hosts may use one name.
func TestRunOfAnotherOwnerSupersedesNothing(t *testing.T) {
	both(t, func(t *testing.T, s tooltest.Store, bucket archive.Store) {
		older := put(t, s, "older", "--owner", "a", "bkt:x")
		a := put(t, s, "a", "--owner", "a", "bkt:x")
		nobody := put(t, s, "nobody", "bkt:x")
		b := put(t, s, "b", "--owner", "b", "bkt:x")
		if got := listed(t, s); !slices.Equal(got[archive.Superseded], []string{older}) || len(got[archive.Committed]) != 3 {
			t.Errorf("s3ls shows %v", got)
		}
		s.Must(t, nil, "s3rm", "-y", "--superseded", "bkt")
		for address, text := range map[string]string{a: "a", nobody: "nobody", b: "b"} {
			s.Reads(t, address, []byte(text))
		}
		if r := s.Run(t, nil, "s3get", older); r.Code != 4 {
			t.Errorf("the superseded run is left: %d\n%s", r.Code, r.Err)
		}
	})
}

// TestRemovalOfSupersededRunsGoesFromTheNewestOn: an interruption then leaves
// no run without what it builds on.
func TestRemovalOfSupersededRunsGoesFromTheNewestOn(t *testing.T) {
	s := tooltest.File(t)
	s.Must(t, nil, "s3put", "--create-bucket", "bkt:first")
	for range 4 {
		put(t, s, "x", "bkt:b")
		put(t, s, "x", "bkt:a")
	}
	var runs []string
	for line := range strings.Lines(s.Must(t, nil, "s3rm", "-p", "--superseded", "bkt")) {
		runs = append(runs, line[strings.LastIndexByte(line, ':')+1:])
	}
	if len(runs) != 6 || !slices.IsSortedFunc(runs, func(a, b string) int { return bytes.Compare([]byte(b), []byte(a)) }) {
		t.Errorf("the order is %q", runs)
	}
}
