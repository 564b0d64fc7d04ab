package store

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"napback/internal/archive"
	"napback/internal/storetest"
)

// TestServicesClockGoesOnFromTheLastAnswer, whatever this host's clock is set
// to: only how much time has passed is taken from here.
func TestServicesClockGoesOnFromTheLastAnswer(t *testing.T) {
	c := new(serviceClock)
	if _, ok := c.now(); ok {
		t.Error("the clock is known before the first answer")
	}
	c.note("yesterday")
	if _, ok := c.now(); ok {
		t.Error("an answer without a date sets the clock")
	}
	date := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	c.note(date.Format(http.TimeFormat))
	c.note("")
	first, ok := c.now()
	if !ok || first.Before(date) || first.Sub(date) > time.Minute {
		t.Errorf("%v, %v", first, ok)
	}
	c.seen = c.seen.Add(-time.Hour)
	if later, _ := c.now(); later.Sub(first) < time.Hour || later.Sub(first) > time.Hour+time.Minute {
		t.Errorf("an hour after %v it is %v", first, later)
	}
}

// TestRefusalTellsTheClockToo: who may only create still learns what time it is.
func TestRefusalTellsTheClockToo(t *testing.T) {
	server := storetest.Versitygw(t)
	service, err := Open(t.Context(), Config{Options: Options{Endpoint: server.Endpoint, Region: server.Region,
		KeyFile: storetest.User{AccessKey: "nobody", SecretKey: "secret"}.KeyFile(t)}})
	if err != nil {
		t.Fatal(err)
	}
	bucket := service.Bucket("bkt")
	if _, ok := bucket.Clock(); ok {
		t.Error("the clock is known before the first answer")
	}
	if _, _, err := bucket.Get(t.Context(), "key"); !errors.Is(err, archive.ErrPermission) {
		t.Fatalf("got %v", err)
	}
	if now, ok := bucket.Clock(); !ok || time.Since(now).Abs() > time.Minute {
		t.Errorf("%v, %v", now, ok)
	}
}

// TestPutTellsWhetherItMayHaveStored: a refusal alone says nothing of the tries
// before it.
func TestPutTellsWhetherItMayHaveStored(t *testing.T) {
	server := storetest.Versitygw(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	service, err := open(t.Context(), Config{Options: Options{Endpoint: proxy.URL, Region: server.Region, KeyFile: server.KeyFile(t)}, Attempts: 3},
		tuning{stall: time.Minute, backoff: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := service.CreateBucket(t.Context(), "bkt"); err != nil {
		t.Fatal(err)
	}
	bucket := service.Bucket("bkt")
	isPut := storetest.Method(http.MethodPut)
	lost := storetest.Fault{Lose: true, Times: 1, Match: isPut}
	denied := storetest.Fault{Status: 403, Code: "AccessDenied", Match: isPut}
	blind := storetest.Fault{Status: 403, Code: "AccessDenied", Match: func(r *http.Request) bool { return r.Method != http.MethodPut }}
	for _, c := range []struct {
		name      string
		faults    []storetest.Fault
		contended bool
		want      error // nil is success
		unknown   bool
	}{
		{"denied", []storetest.Fault{denied}, true, archive.ErrPermission, false},
		{"lost, then denied", []storetest.Fault{lost, denied}, true, archive.ErrPermission, true},
		{"lost, then seen", []storetest.Fault{lost}, true, nil, false},
		{"lost, then blind", []storetest.Fault{lost, blind}, false, nil, false},
		{"lost, then blind where others may be", []storetest.Fault{lost, blind}, true, archive.ErrExist, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			proxy.Reset()
			for _, f := range c.faults {
				proxy.Inject(f)
			}
			obj := storetest.Object(c.name, []byte("x"))
			obj.Contended = c.contended
			err := bucket.Put(t.Context(), obj)
			if !errors.Is(err, c.want) || (c.want == nil) != (err == nil) || errors.Is(err, archive.ErrUnknown) != c.unknown {
				t.Errorf("got %v, unknown %v", err, errors.Is(err, archive.ErrUnknown))
			}
		})
	}
	// Somebody else's object that can be looked at is known not to be ours.
	proxy.Reset()
	storetest.Put(t, bucket, "taken", []byte("other"))
	proxy.Inject(storetest.Fault{Status: 503, Code: "SlowDown", Times: 1, Match: isPut})
	if err := bucket.Put(t.Context(), storetest.Object("taken", []byte("x"))); !errors.Is(err, archive.ErrExist) || errors.Is(err, archive.ErrUnknown) {
		t.Errorf("got %v", err)
	}
}
