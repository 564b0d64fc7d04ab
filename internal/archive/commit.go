package archive

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"napback/internal/cli"
)

// manifest describes the run as it stands.
func (p *put) manifest() *Manifest {
	now, _ := p.now()
	m := &Manifest{
		Format:     formatName + "/" + formatMajor,
		Name:       p.Name,
		Run:        p.run,
		Host:       p.Host,
		Created:    p.started.Truncate(time.Second),
		Committed:  now.Truncate(time.Second),
		Tool:       p.Tool,
		Bytes:      p.bytes,
		ChunkBytes: p.ChunkSize,
		Chunks:     p.chunks,
		Sums:       hex.EncodeToString(p.sumsSum[:]),
		Tag:        p.Tag,
		Parent:     p.Parent,
		Owner:      p.Owner,
		Meta:       p.Meta,
	}
	if p.Fetch != nil {
		m.Recover = recoverCommand(p.Fetch(chunksPrefix(p.Name, p.run)), p.Meta)
	}
	return m
}

// recount counts what lies in the store, where the credentials may list it. A
// clean-up on another host may have taken a run for dead that stood still for
// days. Errors that say what is missing wrap errNotWhole.
func (p *put) recount(ctx context.Context, m *Manifest, committed bool) error {
	if p.Pretend {
		return nil
	}
	inv, err := takeInventory(ctx, p.st, p.Name, p.run)
	if errors.Is(err, ErrPermission) {
		return nil // not allowed to look: every PUT was confirmed
	}
	if err != nil {
		return err
	}
	if why := inv.whole(m); why != nil {
		return why
	}
	if committed && !inv.hasManifest {
		return missing("the manifest is missing")
	}
	return nil
}

// commit stores the manifest, its signature before it, and counts once more, because a clean-up may have
// claimed and removed the run between the first count and the manifest. Then
// the manifest is taken back.
func (p *put) commit(ctx context.Context) (*Manifest, error) {
	m := p.manifest()
	data, err := m.encode()
	if err != nil {
		p.abandon(ctx)
		return nil, err
	}
	if err := p.sign(ctx, data); err != nil {
		p.abandon(ctx)
		return nil, err
	}
	if err := p.putManifest(ctx, data); err != nil {
		return nil, err
	}
	err = p.recount(ctx, m, true)
	if errors.Is(err, errNotWhole) {
		return nil, p.takeBack(ctx, err)
	}
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, cli.WithHint(fmt.Errorf("commit %q: it is stored, but it is not known whether it is whole: %w", p.address(), err),
			"s3ls --whole tells; what it supersedes stays")
	}
	return m, nil
}

func (p *put) address() string { return p.Name + ":" + string(p.run) }

// putManifest stores the manifest. When that fails the chunks stay, unless it
// is known that there is no manifest and will be none: an answer may have been
// lost, and then the archive is there and whole.
func (p *put) putManifest(ctx context.Context, data []byte) error {
	key := manifestKey(p.Name, p.run)
	err := p.st.Put(ctx, Upload{
		Key: key, Body: bytes.NewReader(data), Size: int64(len(data)), SHA256: sha256.Sum256(data), Contended: true,
	})
	if err == nil || p.Pretend {
		return err
	}
	refused := errors.Is(err, ErrPermission) || errors.Is(err, ErrExist)
	if refused && !errors.Is(err, ErrUnknown) {
		p.abandon(ctx)
		return p.refusal(err)
	}
	switch p.lookForManifest(ctx, data) {
	case isOurs:
		p.Log.Notef("the answer to the commit of %q was lost, but it is stored", p.address())
		return nil
	case isClaimed:
		p.abandon(ctx)
		return p.refusal(err)
	case isAbsent:
		if refused {
			p.cut = append(p.cut, key) // it may still arrive
			p.abandon(ctx)
			return err
		}
	}
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return cli.WithHint(fmt.Errorf("commit %q: %w: %w", p.address(), ErrUnknown, err),
		"s3ls -r tells; if it is incomplete its chunks are removed by a later run")
}

// refusal explains a manifest whose place was taken.
func (p *put) refusal(err error) error {
	if errors.Is(err, ErrExist) {
		return fmt.Errorf("commit %q: the run has been claimed by a clean-up that took it for dead: %w", p.address(), err)
	}
	return err
}

// place is what lies in the manifest's place.
type place int

const (
	isUnknown place = iota
	isAbsent
	isClaimed
	isOurs
)

// lookForManifest finds out what became of a manifest whose answer was lost.
func (p *put) lookForManifest(ctx context.Context, data []byte) place {
	stored, err := readSmall(ctx, p.st, manifestKey(p.Name, p.run), maxManifestRead)
	switch {
	case err == nil && bytes.Equal(stored.data, data):
		return isOurs
	case errors.Is(err, ErrNotExist):
		return isAbsent
	case err == nil:
		if _, err := DecodeManifest(stored.data); errors.Is(err, ErrClaimed) {
			return isClaimed
		}
	case errors.Is(err, ErrPermission):
		if _, found, err := manifestEntry(ctx, p.st, p.Name, p.run); err == nil && !found {
			return isAbsent
		}
	}
	return isUnknown
}

// takeBack removes the manifest of a run that turned out not to be whole, and
// what is left of it, also when ctx has ended.
func (p *put) takeBack(ctx context.Context, why error) error {
	err := fmt.Errorf("archive %q is not whole after its commit: %w: something has removed parts of it", p.address(), why)
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	if failed := p.st.Delete(clean, manifestKey(p.Name, p.run)); failed != nil {
		return cli.WithHint(fmt.Errorf("%w; its manifest cannot be taken back: %w", err, failed), "remove it with s3rm")
	}
	p.abandon(ctx)
	return fmt.Errorf("%w; it has been taken back", err)
}
