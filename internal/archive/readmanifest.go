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
	object, err := readSmall(ctx, st, key, maxManifestRead)
	info.Modified, info.SignedBy = object.modified, object.signedBy
	if refused, ok := errors.AsType[*untrusted](err); ok {
		info.Modified = refused.modified
	}
	if err != nil {
		return err
	}
	m, err := DecodeManifest(object.data)
	if err != nil {
		return fmt.Errorf("read %q: %w", key, err)
	}
	if m.Name != name || m.Run != run {
		return cli.Errorf(cli.Integrity, "read %q: it is the manifest of %q", key, m.Name+":"+string(m.Run))
	}
	info.Manifest = m
	return nil
}

// small is an object that has been read.
type small struct {
	data     []byte
	modified time.Time // when it was stored, also if it could only be opened; zero if that is not known
	signedBy string    // of a manifest: the key, if that was asked for
}

// readSmall reads a whole object that is at most limit bytes long.
func readSmall(ctx context.Context, st Store, key string, limit int64) (s small, err error) {
	body, size, err := st.Get(ctx, key)
	if err != nil {
		return s, err
	}
	defer body.Close()
	if dated, ok := body.(Dated); ok {
		s.modified = dated.Modified()
	}
	if signed, ok := body.(interface{ SignedBy() string }); ok {
		s.signedBy = signed.SignedBy()
	}
	if size > limit {
		return s, cli.Errorf(cli.Integrity, "read %q: %d bytes, more than the %d that it can have", key, size, limit)
	}
	s.data, err = io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(s.data)) != size {
		err = cli.Errorf(cli.Integrity, "read %q: %d bytes of %d", key, len(s.data), size)
	}
	return s, err
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
