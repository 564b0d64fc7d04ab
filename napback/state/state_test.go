package state

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
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
	return d.Job(name)
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
	return &Point{Name: j.name + "-0-FULL", Run: run, Type: slot.Full, Date: date, Snapshot: name, Sum: sum, Unread: []string{`a\377b\n`}}
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	j := open(t, "home/build")
	empty, err := j.Load()
	if err != nil || empty.Current != nil {
		t.Fatalf("without a record: %+v, %v", empty, err)
	}
	want := Record{Format: format, Job: "home/build", Current: keep(t, j, "R1", "one"), Pending: &Pending{Current: keep(t, j, "R2", "two")}}
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
	other := &Job{j.dir, "a@b", escape("a@b")}
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
	if want := []string{p.Snapshot, "a.napback", "a@R1.napback", "a@R2.napback", "a@R3.napback"}; !cmp.Equal(names, want) {
		t.Errorf("left %q; want %q", names, want)
	}
}

func TestADamagedRecordIsAnErrorAndNoState(t *testing.T) {
	for _, text := range []string{"", "{", "{}", `{"format":"napback-state/2","job":"x"}`, `{"format":"napback-state/1","job":"y"}`} {
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
