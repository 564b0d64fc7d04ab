package check

import (
	"context"
	"errors"
	"io"
	"strconv"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/dumpdir"
	"napback/napback/jobs"
	"napback/napback/source"
	"napback/napback/unpack"
)

// Unjudged is an error that says nothing against an archive: it, or what is in it,
// could not be looked at. Its exit code is cli.Warnings if all was well but for that
// nobody can judge what is in it, else cli.Failed.
type Unjudged struct{ error }

func (e *Unjudged) Unwrap() error { return e.error }

func unjudged(code int, err error) error { return cli.WithCode(code, &Unjudged{err}) }

// judged tells errors that are about an archive from those that are about looking at
// it: that nobody answers, that a program or a key is missing.
func judged(err error) error {
	if err == nil || errors.As(err, new(*Unjudged)) {
		return err
	}
	switch cli.ExitStatus(err) {
	case cli.Integrity:
		return err
	case cli.NotFound:
		var failed *chain.Error
		if errors.As(err, &failed) && failed.Cause.Stage != "s3get" { // a key is not there
			break
		}
		return err
	}
	return unjudged(cli.Failed, err)
}

// one verifies one run of a job.
func (v *Verifier) one(ctx context.Context, t jobs.Target, a catalog.Entry) error {
	switch {
	case a.Denied:
		return unjudged(cli.Failed, errors.New(a.Name+" of run "+a.Run+": the credentials do not allow to read it"))
	case a.State == catalog.Unreadable:
		return cli.Errorf(cli.Integrity, "%s of run %s: its manifest cannot be read: %s", a.Name, a.Run, cli.Safe(a.Error))
	}
	if err := t.Trust(a, v.AcceptPlain); err != nil {
		return err
	}
	from := v.From
	from.Settings = t.Settings
	from.Progress.Begin("verify " + a.Name)
	from.Progress.Expect(a.Bytes, false)
	defer from.Progress.End()
	if !v.Unpack {
		return from.Verify(ctx, a)
	}
	if dir, ok := jobs.Directory(a); ok {
		n := 0
		err := from.Members(ctx, a, dir, false, func(*dumpdir.Member) error { n++; return nil })
		from.Log.Verbosef("%s holds %s", a.Name, cli.Plural(n, "member", "members"))
		return err
	}
	return v.stream(ctx, t, a, from)
}

// stream has the kind of an archive judge what it holds.
func (v *Verifier) stream(ctx context.Context, t jobs.Target, a catalog.Entry, from unpack.Reader) error {
	kind, of := jobs.KindOf(a.Source())
	if kind.Whole == nil {
		err := from.Stream(ctx, a, func(stream io.Reader) error {
			_, err := io.Copy(io.Discard, stream)
			return err
		})
		if err == nil {
			err = unjudged(cli.Warnings, errors.New("chunks, encryption and compression are well; whether what is in it is whole nobody can tell of the kind "+strconv.Quote(kind.Name)))
		}
		return err
	}
	run := func(run string) string { return a.Bucket + ":" + t.Name + ":" + run }
	var holds string
	err := from.Stream(ctx, a, func(stream io.Reader) (err error) {
		holds, err = kind.Whole(stream, source.Archived{Source: of, Diff: a.Type() == slot.Diff, Meta: a.Meta, Before: v.holds[run(a.Parent())]})
		return err
	})
	if err == nil {
		v.holds[run(a.Run)] = holds
		from.Log.Verbosef("%s holds %s", a.Name, holds)
	}
	return err
}
