// Package unpack reads archives back:
//
//  1. s3get reads an archive, and writes each chunk once it is verified.
//  2. pgpipe decrypts it with a key file, or gpg, which gets only what is
//     encrypted (CopySealed).
//  3. Its compressor decompresses it.
//  4. Of a directory, the guard passes on what tar can extract safely (package
//     guard). Members are counted here, or tar takes them (package restore).
//     Of anything else its kind judges the stream.
//
// If the key turns out to need a passphrase, and there is somebody to ask, the
// chain is run again: nothing has come out of it before.
package unpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/dumpdir"
	"napback/napback/programs"
	"napback/napback/source/tar"
	"napback/napback/tools"
)

// Reader reads the archives of a job's store.
type Reader struct {
	Kit      programs.Kit
	Settings *config.Settings // of the job
	Key      *Key
	Log      tools.Log
	// Progress, if not nil, shows how far the reading is.
	Progress *cli.Progress
}

// Hear returns what takes the lines that the stages of a chain say.
func (r Reader) Hear() func(stage, line string) { return tools.Warnings(r.Log) }

// gpgHolds is more than all that the stages up to gpg hold, in bytes. Until gpg has
// taken more, it may be asking for a passphrase on the terminal.
const gpgHolds = 8 << 20

// Watch returns what shows how far the chain is that reads an archive
// (chain.Chain.Aside).
func (r Reader) Watch(a catalog.Entry) func(stage, line string) bool {
	asks := a.Encryption() != "" && !r.Key.InFile()
	return tools.Watch(func(told cli.ProgressLine) {
		r.Progress.Report(told)
		if !asks || told.Piped > gpgHolds {
			r.Progress.Resume()
		}
	})
}

// store is the client of the job's store.
func (r Reader) store() tools.Store {
	return tools.Open(r.Kit, r.Settings, r.Hear()).Showing(r.Progress)
}

// Stages read an archive, decrypt and decompress it.
func (r Reader) Stages(a catalog.Entry) ([]chain.Stage, error) {
	get, err := r.store().Get(a)
	if err != nil {
		return nil, err
	}
	stages := []chain.Stage{get}
	if a.Encryption() != "" {
		decrypt, err := r.Key.stages(r.Kit)
		if err != nil {
			return nil, err
		}
		stages = append(stages, decrypt...)
	}
	more, err := r.Kit.Decompress(a.Compression(), fmt.Sprintf("%s of run %s", a.Name, a.Run))
	return append(stages, more...), err
}

// Guarded are Stages and the guard, for what tar is going to read of an archive of
// the directory dir. Members of the names notDirs must be no directories.
func (r Reader) Guarded(a catalog.Entry, dir string, notDirs []string) ([]chain.Stage, error) {
	stages, err := r.Stages(a)
	if err != nil {
		return nil, err
	}
	var args []string
	for _, name := range notDirs {
		args = append(args, "--not-dir="+name)
	}
	guard, err := r.Kit.Hidden(programs.Guard, append(args, "--", dir)...)
	return append(stages, guard), err
}

// Run runs a chain that opens an archive. If it turns out that the key needs a
// passphrase and there is somebody to ask, it asks and runs the chain again:
// nothing has come out of it before. Errors have the exit code and the hints of
// their causes.
func (r Reader) Run(ctx context.Context, attempt func() ([]chain.Status, error)) ([]chain.Status, error) {
	for {
		r.Progress.Pause()
		status, err := attempt()
		r.Progress.Pause()
		if err == nil {
			r.Progress.Part()
		}
		if err == nil || ctx.Err() != nil || !r.Key.wanted(err) {
			return status, explain(ctx, err)
		}
		if err := r.Key.ask(ctx); err != nil {
			return status, err
		}
	}
}

// explain is tools.Explain, which does not know what tar says of an archive.
func explain(ctx context.Context, err error) error {
	var failed *chain.Error
	if !errors.As(err, &failed) || failed.Cause.Stage != "tar" || !tar.Damaged(failed.Cause) {
		return tools.Explain(ctx, err)
	}
	return cli.WithCode(cli.Integrity, tools.Explain(ctx, err))
}

// Members calls each for every member of an archive of the directory dir, and checks
// that the archive is whole, to its last byte, and one that tar may extract.
// Only if lists is set have directories their contents, which take memory.
func (r Reader) Members(ctx context.Context, a catalog.Entry, dir string, lists bool, each func(*dumpdir.Member) error) error {
	return r.judge(ctx, a, func() ([]chain.Stage, error) { return r.Guarded(a, dir, nil) }, func(from io.Reader) error {
		return dumpdir.Read(from, lists, each)
	})
}

// Stream has judge read what an archive of something else than a directory holds,
// and checks that the archive is whole, to its last byte. What judge finds wrong is
// damage.
func (r Reader) Stream(ctx context.Context, a catalog.Entry, judge func(io.Reader) error) error {
	return r.judge(ctx, a, func() ([]chain.Stage, error) { return r.Stages(a) }, judge)
}

func (r Reader) judge(ctx context.Context, a catalog.Entry, open func() ([]chain.Stage, error), judge func(io.Reader) error) error {
	var damage error
	_, err := r.Run(ctx, func() ([]chain.Status, error) {
		stages, err := open()
		if err != nil {
			return nil, err
		}
		c := chain.Chain{Stages: stages, Log: r.Hear(), Aside: r.Watch(a)}
		return c.Reading(ctx, func(from io.Reader) error {
			damage = judge(from)
			// The chain still has to tell whether the stream was whole; it
			// must not fail for want of a reader.
			_, err := io.Copy(io.Discard, from)
			return err
		})
	})
	if err == nil && damage != nil {
		err = cli.WithCode(cli.Integrity, damage)
	}
	if err != nil {
		return fmt.Errorf("read %s of run %s: %w", a.Name, a.Run, err)
	}
	return nil
}

// Verify checks each chunk of an archive, and opens nothing.
func (r Reader) Verify(ctx context.Context, a catalog.Entry) error {
	get, err := r.store().Verify(a)
	if err != nil {
		return err
	}
	c := chain.Chain{Stages: []chain.Stage{get}, Log: r.Hear(), Aside: r.Watch(a)}
	if _, err := c.Run(ctx); err != nil {
		return fmt.Errorf("verify %s: %w", strings.TrimPrefix(a.Address(), a.Bucket+":"), tools.Explain(ctx, err))
	}
	return nil
}
