package state

import (
	"os"
	"strings"
	"testing"
	"time"

	"napback/internal/slot"

	"github.com/google/go-cmp/cmp"
)

func TestAnAccountTellsOfTheLastRunAndTheLastGoodOne(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	j := d.Job(Key{Name: "home", Bucket: "b", Source: "Directory /home"})
	at := func(hour int) time.Time { return time.Date(2026, 11, 20, hour, 0, 0, 0, time.UTC) }
	ended := func(hour int, failed bool) Attempt {
		end := at(hour + 1)
		return Attempt{Run: "r", Began: at(hour), Ended: &end, Failed: failed, Outcome: "x"}
	}
	account := func() Account {
		t.Helper()
		a, err := j.Account()
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := account(); a.Attempt != nil || a.Success != nil || a.Proof != nil {
		t.Errorf("a new job has %+v", a)
	}
	note := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	note(j.Began("r", at(1), slot.Today(at(1))))
	if a := account(); a.Attempt == nil || a.Attempt.Ended != nil || a.Success != nil {
		t.Errorf("while it runs: %+v", a)
	}
	note(j.Ended(ended(1, false)))
	note(j.Ended(ended(3, true)))
	note(j.Proved(Proof{At: at(4), Archive: "home-0-FULL:r"}))
	note(j.Ended(ended(5, true)))
	a := account()
	if !a.Attempt.Began.Equal(at(5)) || !a.Success.Began.Equal(at(1)) || !a.Failing.Equal(at(3)) || a.Proof.Archive != "home-0-FULL:r" {
		t.Errorf("after two failures: %+v", a)
	}
	note(j.Ended(ended(7, false)))
	if a := account(); a.Failing != nil || !a.Success.Began.Equal(at(7)) {
		t.Errorf("when it is mended: %+v", a)
	}
	// Another store's account is another one.
	other := d.Job(Key{Name: "home", Bucket: "other", Source: "Directory /home"})
	if a, err := other.Account(); err != nil || a.Attempt != nil {
		t.Errorf("another bucket's: %+v, %v", a, err)
	}
	// It is no record, and no leftover.
	if keys, err := d.Jobs("", "b"); err != nil || len(keys) != 0 {
		t.Errorf("records: %v, %v", keys, err)
	}
	note(j.Clean(Record{}))
	before := account()
	// A damaged one is told of, and does not keep the next run from noting its end.
	note(os.WriteFile(j.path(accountExtension), []byte("{"), 0o600))
	if _, err := j.Account(); err == nil || !strings.Contains(err.Error(), "read account") {
		t.Errorf("damaged: %v", err)
	}
	note(j.Ended(*before.Attempt))
	if diff := cmp.Diff(before.Attempt, account().Attempt); diff != "" {
		t.Error(diff)
	}
}

func TestWhoHasTheLockBuriesWhatHasNoEnd(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	began := time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
	killed, done := d.Job(Key{Name: "killed", Bucket: "b"}), d.Job(Key{Name: "done", Bucket: "b"})
	must(killed.Began("r", began, slot.Today(began)))
	must(done.Ended(Attempt{Run: "r", Began: began, Ended: &began, Outcome: "ok"}))
	release, ok, err := d.Lock()
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer release()
	a, err := killed.Account()
	must(err)
	if !a.Attempt.Failed || a.Attempt.Outcome != Killed || a.Attempt.Ended != nil || a.Failing == nil || !a.Failing.Equal(began) {
		t.Errorf("%+v, failing since %v", a.Attempt, a.Failing)
	}
	if a, err = done.Account(); err != nil || a.Attempt.Failed {
		t.Errorf("%+v, %v", a.Attempt, err)
	}
}

func TestALookAtTheLockKeepsNobodyOut(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	held := func(want bool) {
		t.Helper()
		if got, err := d.Held(); err != nil || got != want {
			t.Errorf("held: %v, %v; want %v", got, err, want)
		}
	}
	held(false)
	if entries, _ := os.ReadDir(d.path); len(entries) != 0 {
		t.Errorf("a look makes %v", entries)
	}
	release, ok, err := d.Lock()
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	held(true)
	if _, ok, err := d.Lock(); ok || err != nil {
		t.Errorf("a second lock: %v, %v", ok, err)
	}
	release()
	held(false)

	// Looks all the time, and still anybody can have it.
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = d.Held()
			}
		}
	}()
	for range 20 {
		release, ok, err := d.Lock()
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		release()
	}
	close(stop)
	<-stopped
}
