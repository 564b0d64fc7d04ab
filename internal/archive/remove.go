package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// RemoveRun removes a run, its manifest first: what is left by an interruption
// is an incomplete run, never a damaged archive. At the end the manifest is
// removed once more, because a writer that was still at work may have stored
// it meanwhile.
func RemoveRun(ctx context.Context, st Store, name string, run Run) error {
	if err := st.Delete(ctx, manifestKey(name, run)); err != nil {
		return err
	}
	if err := removeData(ctx, st, name, run); err != nil {
		return fmt.Errorf("archive %q: the manifest of run %s is removed, some chunks are left: %w", name, run, err)
	}
	return st.Delete(ctx, manifestKey(name, run))
}

// removeBatch is how many keys are held at a time while a run is removed.
const removeBatch = 5000

// removeData removes all objects of a run but what is in the manifest's place.
// It lists anew behind what it has removed, since a listing that goes on while
// its keys vanish is not the same on all services.
func removeData(ctx context.Context, st Store, name string, run Run) error {
	for after := ""; ; {
		keys, more, err := someKeys(ctx, st, name, run, after)
		if err != nil {
			return err
		}
		if err := st.Delete(ctx, keys...); err != nil || !more {
			return err
		}
		after = keys[len(keys)-1]
	}
}

// someKeys lists a part of the objects of a run, those behind after, without
// what is in the manifest's place.
func someKeys(ctx context.Context, st Store, name string, run Run, after string) (keys []string, more bool, err error) {
	prefix := runPrefix(name, run)
	for e, err := range st.List(ctx, Query{Prefix: prefix, After: after}) {
		if err != nil {
			return nil, false, err
		}
		if !strings.HasPrefix(e.Key, prefix) || e.Key == manifestKey(name, run) {
			continue
		}
		if keys = append(keys, e.Key); len(keys) == removeBatch {
			return keys, true, nil
		}
	}
	return keys, false, nil
}

// ErrCommitted: the run is committed, or has been committed meanwhile.
var ErrCommitted = errors.New("it has been committed meanwhile and stays")

// RemoveIncomplete removes a run that was never committed. It claims the run
// first, so that a writer that is still at work cannot commit what is being
// removed: that gets ErrExist for its manifest. A claim that a remover left
// when it was killed is taken over. The error wraps ErrCommitted if the run
// turns out to be committed; then nothing has been removed.
//
// On a service that ignores If-None-Match a claim would replace a manifest
// that is stored at the same moment. There only the run's age protects it.
func RemoveIncomplete(ctx context.Context, st Store, name string, run Run) error {
	if err := claim(ctx, st, name, run); err != nil {
		return err
	}
	if err := removeData(ctx, st, name, run); err != nil {
		return fmt.Errorf("archive %q: some objects of the incomplete run %s are left: %w", name, run, err)
	}
	return st.Delete(ctx, manifestKey(name, run)) // the claim
}

// ErrClaimed: what lies in the manifest's place is a claim. A clean-up puts it
// there before it removes a run that was never committed, so that nothing can
// commit the run meanwhile. For readers the run does not exist.
var ErrClaimed = fmt.Errorf("%w: a clean-up has claimed the run, which was not committed", ErrNotExist)

// claimObject is what a claim holds.
type claimObject struct {
	Format  string    `json:"format"`
	Claimed time.Time `json:"claimed"`
}

// claim puts a claim into the manifest's place, or finds one there.
func claim(ctx context.Context, st Store, name string, run Run) error {
	data, err := json.Marshal(claimObject{Format: formatName + "/" + formatMajor, Claimed: Now(st).UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	// The look comes first for services that ignore If-None-Match.
	info, err := DescribeRun(ctx, st, name, run)
	if err != nil {
		return err
	}
	if info.State != Incomplete {
		return fmt.Errorf("run %q: %w", name+":"+string(run), ErrCommitted)
	}
	putErr := st.Put(ctx, Upload{
		Key: manifestKey(name, run), Body: bytes.NewReader(data), Size: int64(len(data)), SHA256: sha256.Sum256(data), Contended: true,
	})
	if putErr == nil {
		return nil
	}
	_, err = ReadManifest(ctx, st, name, run)
	switch {
	case errors.Is(err, ErrClaimed):
		return nil // a claim that was left, of a quicker clean-up, or ours whose answer was lost
	case errors.Is(putErr, ErrExist) && (err == nil || errors.Is(err, ErrUntrusted)):
		return fmt.Errorf("run %q: %w", name+":"+string(run), ErrCommitted)
	}
	return fmt.Errorf("claim the incomplete run %q: %w", name+":"+string(run), putErr)
}

// NewestObject tells when the newest object of an incomplete run was stored, by
// the store's clock. What is in the manifest's place does not count: a claim
// that was left behind must not make the run young. The time is zero if there
// is nothing else.
func NewestObject(ctx context.Context, st Store, name string, run Run) (time.Time, error) {
	var newest time.Time
	for e, err := range st.List(ctx, Query{Prefix: runPrefix(name, run)}) {
		if err != nil {
			return time.Time{}, err
		}
		if e.Key != manifestKey(name, run) && e.Modified.After(newest) {
			newest = e.Modified
		}
	}
	return newest, nil
}
