package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"napback/internal/cli"
)

// ReadManifest reads the manifest that commits a run. The error wraps
// ErrNotExist if there is none.
func ReadManifest(ctx context.Context, st Store, name string, run Run) (*Manifest, error) {
	m, _, err := readManifest(ctx, st, name, run)
	return m, err
}

// readManifest is ReadManifest that also tells when the manifest was stored, if
// it could be opened and the service tells.
func readManifest(ctx context.Context, st Store, name string, run Run) (*Manifest, time.Time, error) {
	key := manifestKey(name, run)
	data, modified, err := readDated(ctx, st, key, maxManifestRead)
	if err != nil {
		return nil, modified, err
	}
	m, err := DecodeManifest(data)
	if err != nil {
		return nil, modified, fmt.Errorf("read %q: %w", key, err)
	}
	if m.Name != name || m.Run != run {
		return nil, modified, cli.Errorf(cli.Integrity, "read %q: it is the manifest of %q", key, m.Name+":"+string(m.Run))
	}
	return m, modified, nil
}

// readSmall reads a whole object that is at most limit bytes long.
func readSmall(ctx context.Context, st Store, key string, limit int64) ([]byte, error) {
	data, _, err := readDated(ctx, st, key, limit)
	return data, err
}

// readDated is readSmall that also tells when the object was stored.
func readDated(ctx context.Context, st Store, key string, limit int64) (data []byte, modified time.Time, err error) {
	body, size, err := st.Get(ctx, key)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer body.Close()
	if dated, ok := body.(Dated); ok {
		modified = dated.Modified()
	}
	if size > limit {
		return nil, modified, cli.Errorf(cli.Integrity, "read %q: %d bytes, more than the %d that it can have", key, size, limit)
	}
	data, err = io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, modified, err
	}
	if int64(len(data)) != size {
		return nil, modified, cli.Errorf(cli.Integrity, "read %q: %d bytes of %d", key, len(data), size)
	}
	return data, modified, nil
}

// DescribeRun reads the manifest of a run. The state of a run that has one is
// Committed or Implausible; only a look at the name's other runs tells whether
// it is superseded.
func DescribeRun(ctx context.Context, st Store, name string, run Run) (RunInfo, error) {
	info := RunInfo{Name: name, Run: run, State: Committed}
	m, modified, err := readManifest(ctx, st, name, run)
	switch {
	case err == nil:
		info.Manifest = m
	case errors.Is(err, ErrNotExist):
		info.State = Incomplete
		return info, nil
	case errors.Is(err, ErrPermission):
		// Credentials that may list but not read still tell what is there.
		info.State, info.Err, info.Denied = Unreadable, err, true
	case cli.ExitStatus(err) == cli.Integrity || errors.Is(err, errFormat):
		info.State, info.Err = Unreadable, err
	default:
		return info, err
	}
	if info.Modified = modified; modified.IsZero() {
		entry, found, err := manifestEntry(ctx, st, name, run)
		switch {
		case err != nil && info.Denied:
			return info, info.Err // neither read nor listed: nothing is known
		case errors.Is(err, ErrPermission):
			// It has been read; only its age is not known.
		case err != nil:
			return info, err
		case !found:
			return RunInfo{Name: name, Run: run, State: Incomplete}, nil
		}
		info.Modified = entry.Modified
	}
	why := Implausible(run, info.Modified, Now(st))
	if why != nil && info.Err != nil {
		why = fmt.Errorf("%w; %w", info.Err, why)
	}
	if why != nil {
		info.State, info.Err = Suspect, why
	}
	return info, nil
}
