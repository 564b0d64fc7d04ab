package archive_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
)

// secret signs with a secret that its readers know too: what signatures are
// made of is not this package's matter.
type secret string

func (s secret) Sign(data []byte) ([]byte, error) {
	h := hmac.New(sha256.New, []byte(s))
	h.Write(data)
	return h.Sum(nil), nil
}

func (s secret) SignedBy(data, signature []byte) (string, error) {
	if want, _ := s.Sign(data); !hmac.Equal(want, signature) {
		return "", errors.New("a wrong signature")
	}
	return string(s), nil
}

func trusting(st archive.Store, key secret, acceptUnsigned bool) archive.Store {
	return archive.Trusting(st, archive.Trust{Verifier: key, AcceptUnsigned: acceptUnsigned})
}

// signedBy are the options of a put of "n" that a key signs.
func signedBy(key secret) archive.PutOptions {
	o := putOptions("n", 10)
	o.Signer = key
	return o
}

func putSigned(t *testing.T, st archive.Store, key secret, keep bool) *archive.Manifest {
	t.Helper()
	o := signedBy(key)
	o.Keep = keep
	m, err := archive.Put(t.Context(), st, bytes.NewReader(random(95)), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestTheSignatureIsStoredBeforeTheManifest, over its very bytes: no moment in
// which the archive is there but not signed.
func TestTheSignatureIsStoredBeforeTheManifest(t *testing.T) {
	st, _ := bucket(t)
	var mu sync.Mutex // chunks are stored at the same time
	var order []string
	f := &faulty{Store: st, put: func(key string) error {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, key[strings.LastIndex(key, ":")+1:])
		return nil
	}}
	m := putSigned(t, f, "ours", false)
	if n := len(order); !slices.Equal(order[n-3:], []string{"SHA256SUMS", "manifest.sig", "manifest"}) {
		t.Errorf("stored in the order %q", order)
	}
	info, err := archive.DescribeRun(t.Context(), trusting(st, "ours", false), "n", m.Run)
	if err != nil || info.State != archive.Committed || info.SignedBy != "ours" || info.Manifest.Run != m.Run || info.Modified.IsZero() {
		t.Errorf("%+v, %v", info, err)
	}
	info, err = archive.DescribeRun(t.Context(), trusting(st, "theirs", true), "n", m.Run)
	if err != nil || info.State != archive.Unsigned || info.Manifest != nil || info.Modified.IsZero() || errors.Is(info.Err, archive.ErrUnsigned) {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestAPutThatFailsLeavesNoSignature, whatever it is that cannot be stored.
func TestAPutThatFailsLeavesNoSignature(t *testing.T) {
	for _, object := range []string{":manifest.sig", ":manifest", ":SHA256SUMS"} {
		for _, cause := range []error{archive.ErrPermission, archive.ErrExist} {
			st, _ := bucket(t)
			f := &faulty{Store: st, put: func(key string) error {
				if strings.HasSuffix(key, object) {
					return cause
				}
				return nil
			}}
			_, err := archive.Put(t.Context(), f, bytes.NewReader(random(95)), signedBy("ours"))
			if !errors.Is(err, cause) || len(keys(t, st)) > 0 {
				t.Errorf("%s, %v: left are %q, %v", object, cause, keys(t, st), err)
			}
		}
	}
	// Who reads would not believe it.
	st, _ := bucket(t)
	_, err := archive.Put(t.Context(), trusting(st, "theirs", false), bytes.NewReader(random(95)), signedBy("ours"))
	if err == nil || !strings.Contains(err.Error(), "its own signature is not accepted") || len(keys(t, st)) > 0 {
		t.Errorf("left are %q, %v", keys(t, st), err)
	}
}

// TestOnlyTrustedRunsAreNewestAndSuperseded.
func TestOnlyTrustedRunsAreNewestAndSuperseded(t *testing.T) {
	st, _ := bucket(t)
	ours := trusting(st, "ours", false)
	first := putSigned(t, st, "ours", true)
	unsigned := mustPut(t, st, "n", []byte("unsigned"), 10) // its clean-up removes the first
	second := putSigned(t, st, "ours", true)
	forged := putSigned(t, st, "theirs", true)
	var passed []archive.Run
	m, err := archive.Newest(t.Context(), ours, "n", func(info archive.RunInfo) { passed = append(passed, info.Run) })
	if err != nil || m.Run != second.Run || !slices.Equal(passed, []archive.Run{forged.Run}) {
		t.Errorf("newest %v, passed over %v, %v", m, passed, err)
	}
	infos, err := archive.DescribeName(t.Context(), ours, "n", true)
	if err != nil {
		t.Fatal(err)
	}
	states := map[archive.Run]archive.State{}
	for info, err := range infos.Runs(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		states[info.Run] = info.State
	}
	want := map[archive.Run]archive.State{unsigned.Run: archive.Unsigned, second.Run: archive.Committed, forged.Run: archive.Unsigned}
	for run, state := range want {
		if states[run] != state {
			t.Errorf("%s is %s, want %s; the first was %s", run, states[run], state, first.Run)
		}
	}
	o := signedBy("ours")
	third, err := archive.Put(t.Context(), ours, bytes.NewReader(nil), o)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := archive.ListRuns(t.Context(), st, "n")
	if want := []archive.Run{unsigned.Run, forged.Run, third.Run}; err != nil || !slices.Equal(runs, want) {
		t.Errorf("left are %v, want %v: %v", runs, want, err)
	}
}

// TestAcceptedUnsignedRunsAreTold: by name, and never one that is signed wrongly.
func TestAcceptedUnsignedRunsAreTold(t *testing.T) {
	st, _ := bucket(t)
	unsigned := mustPut(t, st, "n", []byte("unsigned"), 10)
	if _, err := archive.Newest(t.Context(), trusting(st, "ours", false), "n", nil); cli.ExitStatus(err) != cli.NotFound {
		t.Errorf("got %v", err)
	}
	forged := putSigned(t, st, "theirs", true)
	told := map[archive.Run]archive.State{}
	m, err := archive.Newest(t.Context(), trusting(st, "ours", true), "n", func(info archive.RunInfo) { told[info.Run] = info.State })
	if err != nil || m.Run != unsigned.Run || told[unsigned.Run] != archive.Committed || told[forged.Run] != archive.Unsigned {
		t.Errorf("newest %v, told %v, %v", m, told, err)
	}
}

// TestAClaimNeedsNoSignature: an incomplete run stays one for who verifies, and
// is removed; a run that others have committed is not.
func TestAClaimNeedsNoSignature(t *testing.T) {
	st, _ := bucket(t)
	ours := trusting(st, "ours", false)
	run, _ := archive.NewRun(time.Now(), "")
	putRaw(t, st, archive.ChunkKey("n", run, 0), "x")
	putRaw(t, st, "n:"+string(run)+":manifest", `{"format": "napback-archive/1", "claimed": "2026-11-20T03:15:02Z"}`)
	if info, err := archive.DescribeRun(t.Context(), ours, "n", run); err != nil || info.State != archive.Incomplete {
		t.Errorf("%+v, %v", info, err)
	}
	if err := archive.RemoveIncomplete(t.Context(), ours, "n", run); err != nil || len(keys(t, st)) > 0 {
		t.Errorf("left are %q, %v", keys(t, st), err)
	}
	forged := putSigned(t, st, "theirs", true)
	if err := archive.RemoveIncomplete(t.Context(), ours, "n", forged.Run); !errors.Is(err, archive.ErrCommitted) {
		t.Errorf("got %v", err)
	}
}

// TestASignatureThatCannotBeReadIsNoProof: a service that fails is an error, not
// a run that does not exist.
func TestASignatureThatCannotBeReadIsNoProof(t *testing.T) {
	st, _ := bucket(t)
	m := putSigned(t, st, "ours", true)
	broken := errors.New("connection reset")
	for _, cause := range []error{broken, archive.ErrPermission} {
		f := &faulty{Store: st, get: func(key string) error {
			if strings.HasSuffix(key, ":manifest.sig") {
				return cause
			}
			return nil
		}}
		for _, accept := range []bool{false, true} {
			info, err := archive.DescribeRun(t.Context(), trusting(f, "ours", accept), "n", m.Run)
			if cause == broken && !errors.Is(err, broken) || cause == archive.ErrPermission && (err != nil || info.State != archive.Unsigned) {
				t.Errorf("%v: %+v, %v", cause, info, err)
			}
		}
	}
}
