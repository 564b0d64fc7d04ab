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
	var info RunInfo
	err := readManifest(ctx, st, name, run, &info)
	return info.Manifest, err
}

// readManifest is ReadManifest that also tells when the manifest was stored, if
// it could be opened and the service tells, and who has signed it.
func readManifest(ctx context.Context, st Store, name string, run Run, info *RunInfo) error {
	key := manifestKey(name, run)
	body, size, err := st.Get(ctx, key)
	if err != nil {
		var refused *untrusted
		if errors.As(err, &refused) {
			info.Modified = refused.modified
		}
		return err
	}
	defer body.Close()
	if signed, ok := body.(interface{ SignedBy() string }); ok {
		info.SignedBy = signed.SignedBy()
	}
	data, err := readBody(key, body, size, maxManifestRead, &info.Modified)
	if err != nil {
		return err
	}
	m, err := DecodeManifest(data)
	if err != nil {
		return fmt.Errorf("read %q: %w", key, err)
	}
	if m.Name != name || m.Run != run {
		return cli.Errorf(cli.Integrity, "read %q: it is the manifest of %q", key, m.Name+":"+string(m.Run))
	}
	info.Manifest = m
	return nil
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
	data, err = readBody(key, body, size, limit, &modified)
	return data, modified, err
}

func readBody(key string, body io.Reader, size, limit int64, modified *time.Time) ([]byte, error) {
	if dated, ok := body.(Dated); ok {
		*modified = dated.Modified()
	}
	if size > limit {
		return nil, cli.Errorf(cli.Integrity, "read %q: %d bytes, more than the %d that it can have", key, size, limit)
	}
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != size {
		return nil, cli.Errorf(cli.Integrity, "read %q: %d bytes of %d", key, len(data), size)
	}
	return data, nil
}

func isIntegrity(err error) bool { return err != nil && cli.ExitStatus(err) == cli.Integrity }

// DescribeRun reads the manifest of a run. The state of a run that has one is
// Committed or Implausible; only a look at the name's other runs tells whether
// it is superseded.
func DescribeRun(ctx context.Context, st Store, name string, run Run) (RunInfo, error) {
	info := RunInfo{Name: name, Run: run, State: Committed}
	err := readManifest(ctx, st, name, run, &info)
	switch {
	case err == nil:
	case errors.Is(err, ErrUntrusted):
		info.State, info.Err = Unsigned, err
	case errors.Is(err, ErrNotExist):
		info.State = Incomplete
		return info, nil
	case errors.Is(err, ErrPermission):
		// Credentials that may list but not read still tell what is there.
		info.State, info.Err, info.Denied = Unreadable, err, true
	case isIntegrity(err) || errors.Is(err, errFormat):
		info.State, info.Err = Unreadable, err
	default:
		return info, err
	}
	if info.Modified.IsZero() {
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
	if why != nil && info.State != Unsigned {
		info.State, info.Err = Suspect, why
	}
	return info, nil
}
