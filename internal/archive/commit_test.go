package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"napback/internal/archive"
)

// isManifest tells whether a key is a manifest's.
func isManifest(key string) bool { return strings.HasSuffix(key, ":manifest") }

// TestChunksThatVanishBeforeTheManifestTakeItBack: between the count and the
// manifest's PUT there may be days, in which somebody removes the run.
func TestChunksThatVanishBeforeTheManifestTakeItBack(t *testing.T) {
	for name, remove := range map[string]func(st archive.Store, run archive.Run) error{
		"whole run": func(st archive.Store, run archive.Run) error {
			return archive.RemoveIncomplete(t.Context(), st, "n", run)
		},
		"one chunk": func(st archive.Store, run archive.Run) error {
			return st.Delete(t.Context(), archive.ChunkKey("n", run, 3))
		},
		"sums": func(st archive.Store, run archive.Run) error {
			return st.Delete(t.Context(), "n:"+string(run)+":SHA256SUMS")
		},
	} {
		t.Run(name, func(t *testing.T) {
			st, _ := bucket(t)
			mustPut(t, st, "n", []byte("good"), 10)
			before := keys(t, st)
			o, _ := logged("n")
			var run archive.Run
			o.Named = func(named archive.Run) error { run = named; return nil }
			f := &faulty{Store: st, put: func(key string) error {
				if isManifest(key) {
					return remove(st, run)
				}
				return nil
			}}
			_, err := archive.Put(t.Context(), f, bytes.NewReader(random(95)), o)
			if err == nil || !strings.Contains(err.Error(), "it has been taken back") {
				t.Errorf("got %v", err)
			}
			if left := keys(t, st); strings.Join(left, " ") != strings.Join(before, " ") {
				t.Errorf("left are %q", left)
			}
			if got := mustGet(t, st, "n"); string(got) != "good" {
				t.Errorf("the name reads %q", got)
			}
		})
	}
}

// TestManifestThatVanishesAfterTheCommitIsNoticed: somebody removes the run that
// is being committed.
func TestManifestThatVanishesAfterTheCommitIsNoticed(t *testing.T) {
	st, _ := bucket(t)
	mustPut(t, st, "n", []byte("good"), 10)
	o, _ := logged("n")
	var run archive.Run
	o.Named = func(named archive.Run) error { run = named; return nil }
	stored := false
	f := &faulty{Store: st, put: func(key string) error {
		if isManifest(key) {
			stored = true
		}
		return nil
	}}
	f.list = func(archive.Query) error {
		if stored {
			return st.Delete(t.Context(), "n:"+string(run)+":manifest")
		}
		return nil
	}
	if _, err := archive.Put(t.Context(), f, bytes.NewReader(random(95)), o); err == nil {
		t.Error("a commit that is gone succeeds")
	}
	if got := mustGet(t, st, "n"); string(got) != "good" {
		t.Errorf("the name reads %q", got)
	}
}

// TestCommitThatCannotBeCountedRemovesNothing: neither itself nor what it would
// supersede, and it does not succeed.
func TestCommitThatCannotBeCountedRemovesNothing(t *testing.T) {
	st, _ := bucket(t)
	old := mustPut(t, st, "n", []byte("good"), 10)
	stored := false
	f := &faulty{Store: st, put: func(key string) error {
		if isManifest(key) {
			stored = true
		}
		return nil
	}}
	f.list = func(archive.Query) error {
		if stored {
			return errors.New("connection reset")
		}
		return nil
	}
	_, err := archive.Put(t.Context(), f, bytes.NewReader(random(95)), putOptions("n", 10))
	if err == nil || !strings.Contains(err.Error(), "it is not known whether it is whole") {
		t.Errorf("got %v", err)
	}
	if _, err := archive.ReadManifest(t.Context(), st, "n", old.Run); err != nil {
		t.Error(err)
	}
	if got := mustGet(t, st, "n"); !bytes.Equal(got, random(95)) {
		t.Error("what was stored does not read")
	}
}

// TestLostAnswerAndThenARefusalKeepsTheArchive: the first try has stored the
// manifest, its answer is lost, and the next try is refused.
func TestLostAnswerAndThenARefusalKeepsTheArchive(t *testing.T) {
	refused := fmt.Errorf("put: %w: %w", archive.ErrPermission, archive.ErrUnknown)
	for _, c := range []struct {
		name   string
		stored bool
		get    error
		list   error // after the manifest
		left   int   // objects
		want   string
	}{
		{"seen", true, nil, nil, 12, ""},
		{"not stored", false, nil, nil, 0, "access denied"},
		{"blind", true, archive.ErrPermission, archive.ErrPermission, 12, "not known"},
		{"blind and not stored", false, archive.ErrPermission, archive.ErrPermission, 11, "not known"},
		{"listed only", true, archive.ErrPermission, nil, 12, "not known"},
		{"listed only, not stored", false, archive.ErrPermission, nil, 0, "access denied"},
		{"server gone", true, errors.New("connection reset"), errors.New("connection reset"), 12, "not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			st, _ := bucket(t)
			tried := false
			f := &lossy{faulty{Store: st, get: func(string) error { return c.get }, list: func(archive.Query) error {
				if tried {
					return c.list
				}
				return nil
			}}, func(obj archive.Upload) error {
				tried = true
				if c.stored {
					return errors.Join(st.Put(t.Context(), obj), refused)
				}
				return refused
			}}
			_, err := archive.Put(t.Context(), f, bytes.NewReader(random(95)), putOptions("n", 10))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v", err)
			}
			if left := keys(t, st); len(left) != c.left {
				t.Errorf("left are %q", left)
			}
			if c.stored {
				if got := mustGet(t, st, "n"); !bytes.Equal(got, random(95)) {
					t.Error("the archive does not read")
				}
			}
		})
	}
}

// lossy is a store whose manifests are put by a function of their own.
type lossy struct {
	faulty
	manifest func(archive.Upload) error
}

func (l *lossy) Put(ctx context.Context, obj archive.Upload) error {
	if isManifest(obj.Key) {
		return l.manifest(obj)
	}
	return l.faulty.Put(ctx, obj)
}

// TestSlowPutDoesNotCommitWhatWasClaimed: the remover may even have been killed
// behind its claim.
func TestSlowPutDoesNotCommitWhatWasClaimed(t *testing.T) {
	st, _ := bucket(t)
	mustPut(t, st, "n", []byte("good"), 10)
	o, _ := logged("n")
	var run archive.Run
	o.Named = func(named archive.Run) error { run = named; return nil }
	killed := errors.New("killed")
	remover := &faulty{Store: st, delete: func([]string) error { return killed }}
	f := &faulty{Store: st, put: func(key string) error {
		if isManifest(key) {
			if err := archive.RemoveIncomplete(t.Context(), remover, "n", run); !errors.Is(err, killed) {
				t.Errorf("remove: %v", err)
			}
		}
		return nil
	}}
	_, err := archive.Put(t.Context(), f, bytes.NewReader(random(95)), o)
	if !errors.Is(err, archive.ErrExist) || !strings.Contains(err.Error(), "claimed by a clean-up") {
		t.Errorf("got %v", err)
	}
	if got := mustGet(t, st, "n"); string(got) != "good" {
		t.Errorf("the name reads %q", got)
	}
	// What is left is the claim: no reader takes it for a commit.
	if left := keys(t, st); len(left) != 4 {
		t.Errorf("left are %q", left)
	}
	if _, err := archive.ReadManifest(t.Context(), st, "n", run); !errors.Is(err, archive.ErrClaimed) || !errors.Is(err, archive.ErrNotExist) {
		t.Errorf("the claim reads as %v", err)
	}
	infos, err := describeName(t, st, "n", true)
	if err != nil || len(infos) != 2 || infos[1].State != archive.Incomplete {
		t.Errorf("%+v, %v", infos, err)
	}
	// The next clean-up takes it over, also one that keeps what is superseded.
	o, _ = logged("n")
	o.Keep = true
	if _, err := archive.Put(t.Context(), st, strings.NewReader("next"), o); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys(t, st) {
		if strings.Contains(key, string(run)) {
			t.Errorf("%s is left", key)
		}
	}
}

// TestRemoverLeavesWhatWasCommittedMeanwhile: the run may be committed between
// its look and its claim.
func TestRemoverLeavesWhatWasCommittedMeanwhile(t *testing.T) {
	st, _ := bucket(t)
	m := mustPut(t, st, "n", random(95), 10)
	before := keys(t, st)
	looked := false
	late := &faulty{Store: st, get: func(key string) error {
		if !looked {
			looked = true
			return archive.ErrNotExist // its manifest comes a moment later
		}
		return nil
	}}
	for range 2 {
		if err := archive.RemoveIncomplete(t.Context(), late, "n", m.Run); !errors.Is(err, archive.ErrCommitted) {
			t.Errorf("got %v", err)
		}
	}
	if left := keys(t, st); strings.Join(left, " ") != strings.Join(before, " ") {
		t.Errorf("left are %q", left)
	}
}

// TestOnlyRunsOfTheSameOwnerThatWereSeenAreSuperseded: what others store under
// the name meanwhile, or have stored before, stays.
func TestOnlyRunsOfTheSameOwnerThatWereSeenAreSuperseded(t *testing.T) {
	st, _ := bucket(t)
	put := func(st archive.Store, owner, text string, change func(*archive.PutOptions)) *archive.Manifest {
		t.Helper()
		o, _ := logged("n")
		o.Owner = owner
		if change != nil {
			change(&o)
		}
		m, err := archive.Put(t.Context(), st, strings.NewReader(text), o)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	mine := put(st, "a", "mine", nil)
	theirs, nobodys := put(st, "b", "theirs", nil), put(st, "", "nobody's", nil)
	var meanwhile *archive.Manifest
	blind := &faulty{Store: st, list: func(archive.Query) error { return archive.ErrPermission }} // names its run by the clock
	newest := put(st, "a", "new", func(o *archive.PutOptions) {
		o.Now = func() time.Time { return time.Now().Add(time.Minute) }
		o.Finish = func(context.Context) (map[string]string, error) {
			meanwhile = put(blind, "a", "meanwhile", nil)
			return nil, nil
		}
	})
	if meanwhile.Run > newest.Run {
		t.Fatalf("%s is not older than %s", meanwhile.Run, newest.Run)
	}
	for _, c := range []struct {
		m    *archive.Manifest
		stay bool
	}{{mine, false}, {theirs, true}, {nobodys, true}, {meanwhile, true}} {
		if _, err := archive.ReadManifest(t.Context(), st, "n", c.m.Run); (err == nil) != c.stay {
			t.Errorf("the run of %q: %v", c.m.Owner, err)
		}
	}
}

// TestUnreadableManifestIsNotSuperseded: whose it is cannot be known.
func TestUnreadableManifestIsNotSuperseded(t *testing.T) {
	st, _ := bucket(t)
	run, _ := archive.NewRun(time.Now().Add(-time.Hour), "")
	putRaw(t, st, "n:"+string(run)+":manifest", "{}")
	o, said := logged("n")
	if _, err := archive.Put(t.Context(), st, strings.NewReader("new"), o); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(said.String(), "cannot be read") || len(keys(t, st)) != 4 {
		t.Errorf("left are %q, said %q", keys(t, st), said)
	}
}

// TestSignatureIsAnObjectOfItsRun: it goes with it, and is no chunk.
func TestSignatureIsAnObjectOfItsRun(t *testing.T) {
	st, _ := bucket(t)
	m := mustPut(t, st, "n", random(95), 10)
	signature := "n:" + string(m.Run) + ":manifest.sig"
	putRaw(t, st, signature, "signed")
	if !archive.IsOurs(signature) {
		t.Error("a signature is foreign")
	}
	if why, err := archive.Whole(t.Context(), st, "n", m.Run, m); why != nil || err != nil {
		t.Errorf("with a signature: %v, %v", why, err)
	}
	if err := archive.RemoveRun(t.Context(), st, "n", m.Run); err != nil || len(keys(t, st)) > 0 {
		t.Errorf("left are %q, %v", keys(t, st), err)
	}
	putRaw(t, st, signature, "signed")
	if err := archive.RemoveIncomplete(t.Context(), st, "n", m.Run); err != nil || len(keys(t, st)) > 0 {
		t.Errorf("left are %q, %v", keys(t, st), err)
	}
}

// TestManifestThatComesDuringARemovalGoesToo: its writer was still at work.
func TestManifestThatComesDuringARemovalGoesToo(t *testing.T) {
	st, _ := bucket(t)
	m := mustPut(t, st, "n", random(95), 10)
	deleted := 0
	f := &faulty{Store: st, delete: func(keys []string) error {
		if deleted++; deleted == 2 {
			putRaw(t, st, "n:"+string(m.Run)+":manifest", "late")
		}
		return nil
	}}
	if err := archive.RemoveRun(t.Context(), f, "n", m.Run); err != nil || len(keys(t, st)) > 0 {
		t.Errorf("left are %q, %v", keys(t, st), err)
	}
}
