package state

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/slot"
)

func open(t *testing.T, name string) *Job {
	t.Helper()
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return d.Job(Key{Name: name, Endpoint: "file:///s", Bucket: "bk", Source: "Directory /x"})
}

// keep makes a snapshot of the run that holds text.
func keep(t *testing.T, j *Job, run, text string) *Point {
	t.Helper()
	f, err := j.NewFile()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.WriteString(f, text); err != nil {
		t.Fatal(err)
	}
	name, sum, err := j.Keep(f.Name(), run)
	if err != nil {
		t.Fatal(err)
	}
	date, _ := slot.ParseDate("2026-11-20")
	return &Point{Archive: Archive{Name: j.key.Name + "-0-FULL", Run: run, Type: slot.Full, Date: date}, Snapshot: name, Sum: sum, Unread: []string{`a\377b\n`}}
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	j := open(t, "home/build")
	empty, err := j.Load()
	if err != nil || empty.Current != nil {
		t.Fatalf("without a record: %+v, %v", empty, err)
	}
	want := Record{Format: format, Job: "home/build", Endpoint: "file:///s", Bucket: "bk", Source: "Directory /x", Owner: "o",
		Runs: []Run{{Archive: Archive{Name: "home/build-0-FULL", Run: "R1", Type: slot.Full}}}, Current: keep(t, j, "R1", "one"), Pending: &Pending{Current: keep(t, j, "R2", "two")}}
	if err := j.Save(want); err != nil {
		t.Fatal(err)
	}
	got, err := j.Load()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v: got %+v, want %+v", err, got, want)
	}
	info, _ := os.Stat(j.path(extension))
	if info.Mode().Perm() != 0o600 {
		t.Errorf("record has mode %v", info.Mode())
	}
}

func TestASnapshotThatChangedIsRefused(t *testing.T) {
	j := open(t, "x")
	p := keep(t, j, "R1", "one")
	f, err := j.OpenSnapshot(p)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(f)
	f.Close()
	if string(text) != "one" {
		t.Errorf("read %q", text)
	}
	path := filepath.Join(j.dir, p.Snapshot)
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("snapshot has mode %v", info.Mode())
	}
	if err := os.WriteFile(path, []byte("on"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.OpenSnapshot(p); err == nil {
		t.Error("a cut snapshot was opened")
	}
	os.Remove(path)
	if _, err := j.OpenSnapshot(p); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing snapshot: %v", err)
	}
}

func TestCleanLeavesWhatTheRecordNamesAndOtherJobs(t *testing.T) {
	j := open(t, "a")
	other := (&Dir{j.dir}).Job(Key{Name: "a@b"})
	r := Record{Current: keep(t, j, "R2", "2"), Previous: keep(t, j, "R1", "1"), Pending: &Pending{Current: keep(t, j, "R3", "3")}}
	keep(t, j, "R0", "0")
	p := keep(t, other, "R0", "0")
	if err := j.Save(r); err != nil {
		t.Fatal(err)
	}
	leftover, err := j.NewFile()
	if err != nil {
		t.Fatal(err)
	}
	leftover.Close()
	if err := j.Clean(r); err != nil {
		t.Fatal(err)
	}
	var names []string
	entries, _ := os.ReadDir(j.dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if want := []string{p.Snapshot, j.base + ".napback", j.base + "@R1.napback", j.base + "@R2.napback", j.base + "@R3.napback"}; !cmp.Equal(names, want) {
		t.Errorf("left %q; want %q", names, want)
	}
}

func TestADamagedRecordIsAnErrorAndNoState(t *testing.T) {
	for _, text := range []string{"", "{", "{}", `{"format":"napback-state/3","job":"x"}`,
		`{"format":"napback-state/2","job":"y"}`, `{"format":"napback-state/2","job":"x","bucket":"other"}`} {
		j := open(t, "x")
		if err := os.WriteFile(j.path(extension), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err := j.Load(); err == nil || r.Current != nil || r.Job != "x" {
			t.Errorf("%q: %+v, %v", text, r, err)
		}
	}
}

func TestNoTwoNamesShareAFile(t *testing.T) {
	long := strings.Repeat("component/", 60)
	names := []string{"a/b", "a%2Fb", "a_b", "a@b", "a", "A", ".a", "%2Ea", "\xff", "ÿ", long + "1", long + "2"}
	seen := map[string]string{}
	for _, n := range names {
		e := escape(n)
		if other, taken := seen[e]; taken || len(e) > maxBase || strings.ContainsAny(e, "/@") || strings.HasPrefix(e, ".") {
			t.Errorf("escape(%q) = %q, also of %q", n, e, other)
		}
		seen[e] = n
	}
	j := open(t, long+"1")
	if err := j.Save(Record{Current: keep(t, j, "20261120T031502Z-k3f9", "x")}); err != nil {
		t.Errorf("long name: %v", err)
	}
}

func TestDiffDirIsNeverCreated(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing")
	if _, err := Open(dir); err == nil {
		t.Error("a missing DiffDir was opened")
	}
	if _, err := os.Lstat(dir); err == nil {
		t.Error("it was created")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(file); err == nil {
		t.Error("a file was opened as DiffDir")
	}
}

func TestOnlyOneHoldsTheLock(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	release, ok, err := d.Lock()
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, ok, err := d.Lock(); ok || err != nil {
		t.Errorf("second lock: %v, %v", ok, err)
	}
	release()
	release, ok, err = d.Lock()
	if !ok || err != nil {
		t.Errorf("after release: %v, %v", ok, err)
	}
	release()
}

func TestEveryStoreAndSourceHasAStateOfItsOwn(t *testing.T) {
	d := &Dir{t.TempDir()}
	keys := []Key{{"x", "", "b", "s"}, {"x", "e", "b", "s"}, {"x", "", "c", "s"}, {"x", "", "b", "t"}, {"y", "", "b", "s"}}
	for i, k := range keys {
		if err := d.Job(k).Save(Record{Owner: string(rune('a' + i))}); err != nil {
			t.Fatal(err)
		}
	}
	for i, k := range keys {
		r, err := d.Job(k).Load()
		if err != nil || r.Owner != string(rune('a'+i)) {
			t.Errorf("%v: %+v, %v", k, r, err)
		}
	}
	got, err := d.Jobs("", "b")
	if want := 3; err != nil || len(got) != want {
		t.Errorf("%v, %v; want %d", got, err, want)
	}
}

func TestTheOwnerIsMadeOnce(t *testing.T) {
	d := &Dir{t.TempDir()}
	if id, err := d.Owner(); id != "" || err != nil {
		t.Fatal(id, err)
	}
	var made [8]string
	var wait sync.WaitGroup
	for i := range made {
		wait.Go(func() { made[i], _ = d.MakeOwner() })
	}
	wait.Wait()
	for _, id := range made {
		if !ownerPattern.MatchString(id) || id != made[0] {
			t.Fatalf("made %q", made)
		}
	}
	if id, err := d.Owner(); id != made[0] || err != nil {
		t.Errorf("read %q, %v", id, err)
	}
	entries, _ := os.ReadDir(d.path)
	if info, err := entries[0].Info(); len(entries) != 1 || err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("left %v, %v", entries, err)
	}
}

func TestADamagedOwnerIsReplaced(t *testing.T) {
	for _, text := range []string{"", "\n", "a b", strings.Repeat("a", 65), "\x00"} {
		d := &Dir{t.TempDir()}
		if err := os.WriteFile(filepath.Join(d.path, "owner"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if id, err := d.Owner(); id != "" || err == nil {
			t.Errorf("%q is read as %q", text, id)
		}
		id, err := d.MakeOwner()
		if got, again := d.Owner(); err != nil || got != id || again != nil || !ownerPattern.MatchString(id) {
			t.Errorf("%q: made %q, %v; then %q, %v", text, id, err, got, again)
		}
	}
}

// legacy leaves what the version before has left.
func legacy(t *testing.T, j *Job) Record {
	t.Helper()
	old := &Job{j.dir, j.key, escape(j.key.Name)}
	r := Record{Format: legacyFormat, Job: j.key.Name, Current: keep(t, old, "R2", "two"), Previous: keep(t, old, "R1", "one")}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(j.legacyPath(), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheStateOfTheVersionBeforeIsTakenOverOnce(t *testing.T) {
	j := open(t, "a/b")
	legacy(t, j)
	r, found, err := j.Legacy()
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if _, err := j.TakeOver(r); err != nil {
		t.Fatal(err)
	}
	got, err := j.Load()
	if err != nil || got.Current.Run != "R2" {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, p := range []*Point{got.Current, got.Previous} {
		f, err := j.OpenSnapshot(p)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	if err := j.Clean(got); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(j.dir); len(entries) != 3 {
		t.Errorf("left %v; want a record and two snapshots", entries)
	}
	if _, found, err := j.Legacy(); found || err != nil {
		t.Error("it is there still", err)
	}
}
