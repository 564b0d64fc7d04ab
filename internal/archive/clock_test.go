package archive_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
)

// clocked is a store whose clock is ahead of the host's; behind if negative.
type clocked struct {
	archive.Store
	ahead   time.Duration
	unknown bool
}

func (c clocked) Clock() (time.Time, bool) { return time.Now().Add(c.ahead), !c.unknown }

// logged returns options for a put whose messages are kept.
func logged(name string) (archive.PutOptions, *bytes.Buffer) {
	o, text := putOptions(name, 10), new(bytes.Buffer)
	o.Log = &cli.Log{Tool: "t", W: text}
	return o, text
}

// dated tells whether a run's time is within a minute of now.
func dated(run archive.Run, now time.Time) bool { return run.Time().Sub(now).Abs() < time.Minute }

// TestRunIsNamedByTheStoresClockIfTheHostsIsWrong: one run of a host whose clock
// is ahead would otherwise be the newest for as long as that.
func TestRunIsNamedByTheStoresClockIfTheHostsIsWrong(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		host      time.Duration // ahead of the store
		corrected bool
	}{{0, false}, {23 * time.Hour, false}, {-23 * time.Hour, false}, {25 * time.Hour, true}, {-25 * time.Hour, true}, {400 * day, true}} {
		st, _ := bucket(t)
		o, said := logged("n")
		o.Now = func() time.Time { return time.Now().Add(c.host) }
		m, err := archive.Put(t.Context(), st, strings.NewReader("text"), o)
		if err != nil {
			t.Fatal(err)
		}
		want := o.Now()
		if c.corrected {
			want = time.Now()
		}
		if !dated(m.Run, want) || m.Created.Sub(want).Abs() > time.Minute || m.Committed.Sub(want).Abs() > time.Minute {
			t.Errorf("a host that is ahead by %v stores %s, created %v, committed %v", c.host, m.Run, m.Created, m.Committed)
		}
		if got := strings.Count(said.String(), "warning: this host's clock is at "); (got == 1) != c.corrected {
			t.Errorf("a host that is ahead by %v is told %q", c.host, said)
		}
		if got := mustGet(t, st, "n"); string(got) != "text" {
			t.Errorf("a host that is ahead by %v: the name reads %q", c.host, got)
		}
	}
}

func TestHostsClockNamesTheRunWhereTheStoreTellsNone(t *testing.T) {
	st, _ := bucket(t)
	o, said := logged("n")
	o.Now = func() time.Time { return time.Now().Add(-48 * time.Hour) }
	m, err := archive.Put(t.Context(), clocked{Store: st, unknown: true}, strings.NewReader("text"), o)
	if err != nil || !dated(m.Run, o.Now()) || said.Len() > 0 {
		t.Errorf("run %s, %v, %q", m.Run, err, said)
	}
}

// TestRunOfAClockThatWasAheadIsNotFollowed: when the clock is right again, what
// it stored meanwhile is not the newest, and new runs are.
func TestRunOfAClockThatWasAheadIsNotFollowed(t *testing.T) {
	st, _ := bucket(t)
	mustPut(t, st, "n", []byte("before"), 10)
	// A directory's clock is the host's: both were ahead.
	future := clocked{st, 400 * 24 * time.Hour, false}
	o, _ := logged("n")
	o.Keep = true
	o.Now = func() time.Time { return time.Now().Add(future.ahead) }
	ahead, err := archive.Put(t.Context(), future, strings.NewReader("ahead"), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := mustGet(t, st, "n"); string(got) != "before" {
		t.Errorf("the name reads %q", got)
	}
	o, said := logged("n")
	m, err := archive.Put(t.Context(), st, strings.NewReader("after"), o)
	if err != nil || !dated(m.Run, time.Now()) {
		t.Fatalf("run %s, %v", m.Run, err)
	}
	if !strings.Contains(said.String(), "ignored runs of \"n\" whose time cannot be true: 1, the first "+string(ahead.Run)) {
		t.Errorf("nothing was said of the run that is ahead: %q", said)
	}
	if got := mustGet(t, st, "n"); string(got) != "after" {
		t.Errorf("the name reads %q", got)
	}
	states := map[archive.State]int{}
	infos, err := describeName(t, st, "n", true)
	for _, info := range infos {
		states[info.State]++
	}
	if err != nil || states[archive.Committed] != 1 || states[archive.Suspect] != 1 || len(infos) != 2 {
		t.Errorf("states %v, %v", states, err)
	}
	// By its address it still reads.
	var out bytes.Buffer
	if err := archive.Get(t.Context(), st, ahead, &out, getOptions()); err != nil || out.String() != "ahead" {
		t.Errorf("%q, %v", &out, err)
	}
}

// TestRunIsImplausibleByItsManifestsDateForEver: also when its time has come.
func TestRunIsImplausibleByItsManifestsDateForEver(t *testing.T) {
	st, dir := bucket(t)
	late := mustPut(t, st, "n", []byte("late"), 10)
	for _, c := range []struct {
		age    time.Duration
		newest bool
	}{{23 * time.Hour, true}, {25 * time.Hour, false}} {
		at := time.Now().Add(-c.age)
		if err := os.Chtimes(filepath.Join(dir, "n:"+string(late.Run)+":manifest"), at, at); err != nil {
			t.Fatal(err)
		}
		m, err := archive.Newest(t.Context(), st, "n", nil)
		if (err == nil && m.Run == late.Run) != c.newest {
			t.Errorf("stored %v before its time: newest is %v, %v", c.age, m, err)
		}
		if !c.newest && cli.ExitStatus(err) != cli.NotFound {
			t.Errorf("exit status %d", cli.ExitStatus(err))
		}
	}
}

// TestPlantedKeyHarmsNoPut: whoever can write to the bucket makes neither a new
// run nor the existing ones unreadable.
func TestPlantedKeyHarmsNoPut(t *testing.T) {
	for _, key := range []string{"n:99991231T235959Z-zzzz:0000000000000", "n:99991231T235959Z-zzzz:manifest", "n:99991231T235958Z-zzzz:SHA256SUMS"} {
		st, _ := bucket(t)
		mustPut(t, st, "n", []byte("old"), 10)
		putRaw(t, st, key, "x")
		if got := mustGet(t, st, "n"); string(got) != "old" {
			t.Errorf("%s: the name reads %q", key, got)
		}
		o, said := logged("n")
		m, err := archive.Put(t.Context(), st, strings.NewReader("new"), o)
		if err != nil || !dated(m.Run, time.Now()) {
			t.Fatalf("%s: run %v, %v", key, m, err)
		}
		if !strings.Contains(said.String(), "whose time cannot be true") {
			t.Errorf("%s: said %q", key, said)
		}
		if got := mustGet(t, st, "n"); string(got) != "new" {
			t.Errorf("%s: the name reads %q", key, got)
		}
	}
}

// TestRunIsNeverImplausibleItself: not even if somebody has planted runs at the
// very edge of what may be true, which the new run has to follow.
func TestRunIsNeverImplausibleItself(t *testing.T) {
	for _, ahead := range []time.Duration{24*time.Hour + time.Second, 24 * time.Hour, 24*time.Hour - time.Second, 24*time.Hour - 2*time.Second, 24*time.Hour - time.Minute, 23 * time.Hour} {
		st, _ := bucket(t)
		now := time.Now()
		putRaw(t, st, "n:"+now.Add(ahead).UTC().Format("20060102T150405Z")+"-zzzz:0000000000000", "x")
		o, said := logged("n")
		m, err := archive.Put(t.Context(), st, strings.NewReader("text"), o)
		if err != nil {
			t.Fatal(err)
		}
		info, err := archive.DescribeRun(t.Context(), st, "n", m.Run)
		if err != nil || info.State != archive.Committed {
			t.Errorf("after one that is %v ahead comes %s, %s: %v, %v", ahead, m.Run, info.State, info.Err, err)
		}
		if followed := m.Run.Time().Sub(now) > time.Hour; followed == strings.Contains(said.String(), "whose time cannot be true") || strings.Contains(said.String(), "nil") {
			t.Errorf("%v ahead: %s, said %q", ahead, m.Run, said)
		}
	}
}

// TestClockThatWentBackIsFollowedByTheNextSecond: as long as the last run is
// plausible.
func TestClockThatWentBackIsFollowedByTheNextSecond(t *testing.T) {
	st, _ := bucket(t)
	o, _ := logged("n")
	o.Now = func() time.Time { return time.Now().Add(20 * time.Hour) }
	first, err := archive.Put(t.Context(), st, strings.NewReader("first"), o)
	if err != nil {
		t.Fatal(err)
	}
	o, said := logged("n")
	second, err := archive.Put(t.Context(), st, strings.NewReader("second"), o)
	if err != nil || !second.Run.Time().Equal(first.Run.Time().Add(time.Second)) {
		t.Errorf("after %s comes %v, %v", first.Run, second, err)
	}
	if !strings.Contains(said.String(), "has it been set back?") {
		t.Errorf("said %q", said)
	}
	if got := mustGet(t, st, "n"); string(got) != "second" {
		t.Errorf("the name reads %q", got)
	}
}

// TestImplausibleRunSupersedesNothing and is not removed itself.
func TestImplausibleRunSupersedesNothing(t *testing.T) {
	st, _ := bucket(t)
	future := clocked{st, 400 * 24 * time.Hour, false}
	o, _ := logged("n")
	o.Now = func() time.Time { return time.Now().Add(future.ahead) }
	ahead, err := archive.Put(t.Context(), future, strings.NewReader("ahead"), o)
	if err != nil {
		t.Fatal(err)
	}
	mustPut(t, st, "n", []byte("one"), 10)
	mustPut(t, st, "n", []byte("two"), 10)
	if _, err := archive.ReadManifest(t.Context(), st, "n", ahead.Run); err != nil {
		t.Errorf("the implausible run: %v", err)
	}
	infos, err := describeName(t, st, "n", true)
	if err != nil || len(infos) != 2 || infos[0].State != archive.Committed || infos[1].State != archive.Suspect || infos[1].Err == nil {
		t.Errorf("%+v, %v", infos, err)
	}
	var passed []archive.Run
	m, err := archive.Newest(t.Context(), st, "n", func(info archive.RunInfo) { passed = append(passed, info.Run) })
	if err != nil || m.Run != infos[0].Run || len(passed) != 1 || passed[0] != ahead.Run {
		t.Errorf("newest %v, %v; reported %v", m, err, passed)
	}
	if err := st.Delete(t.Context(), "n:"+string(m.Run)+":manifest"); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Newest(t.Context(), st, "n", nil); !errors.Is(err, archive.ErrNotExist) {
		t.Errorf("newest of implausible runs alone: %v", err)
	}
}
