package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"os/signal"
	"strings"
	"syscall"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/sign"
	"napback/internal/store"
)

type options struct {
	Address string `arg:"" name:"bucket:name" help:"What to read: BUCKET:NAME, its newest committed run, or BUCKET:NAME:RUN. With --js3tream also a BUCKET that holds one archive without a name."`

	store.Options
	sign.VerifyFlags

	store.Transfer

	Verify   bool `help:"Check every chunk, write nothing."`
	Js3tream bool `name:"js3tream" help:"Read an archive that js3tream stored. Nothing shows whether it is whole."`
	cli.Verbosity
}

var describe = cli.Describe{
	Tool:    "s3get",
	Usage:   "BUCKET:NAME[:RUN] [flags]",
	Purpose: "Write an archive from S3 or a local directory to standard output, every chunk verified before it is written.",
	Example: "s3get bucket:home | pgpipe -d -k secret.asc | zstd -d | tar -x",
	Old: map[string]string{
		"-f": "-f of js3tream is --spool DIR: chunks are held in files in DIR instead of memory",
		"-b": "without -b: s3get BUCKET:NAME, with --js3tream if that stored it", "--bucket": "without --bucket: s3get BUCKET:NAME",
		"-o": "without -o: s3get always writes to standard output",
		"-i": "s3put BUCKET:NAME stores standard input",
		"-z": "s3get takes chunks in the size that they have", "--size": "s3get takes chunks in the size that they have",
	},
}

func (o *options) check(std cli.Streams) error {
	switch {
	case len(o.VerifyKey) > 0 && o.Js3tream:
		return cli.UsageErrorf("--verify-key needs a manifest, which --js3tream archives do not have")
	case o.Verify && o.Js3tream:
		return cli.UsageErrorf("--verify needs a manifest, which --js3tream archives do not have")
	case !o.Verify && cli.IsClosed(std.Out):
		return cli.WithHint(cli.UsageErrorf("standard output is closed"), "--verify checks an archive without writing it")
	case !o.Verify && cli.IsTerminal(std.Out):
		return cli.WithHint(cli.UsageErrorf("standard output is a terminal"),
			"an archive is binary data: pipe it into a command or a file")
	}
	return o.Transfer.Check()
}

func run(ctx context.Context, args []string, std cli.Streams) error {
	o := new(options)
	if done, err := cli.Parse(o, args, std, describe); done || err != nil {
		return err
	}
	if err := o.check(std); err != nil {
		return err
	}
	progress := cli.NewProgress(std.Err, o.Progress)
	std.Err = progress.Over(std.Err)
	log := o.Log(describe.Tool, std)
	verifier, err := o.Verifier()
	if err != nil {
		return err
	}
	service, err := store.Open(ctx, store.Config{
		Options: o.Options, Attempts: o.Attempts, NeverDie: o.NeverDie, RetryWait: o.RetryWait, Log: log,
	})
	if err != nil {
		return err
	}
	if verifier != nil {
		service = store.Trusting(service, archive.Trust{Verifier: verifier, AcceptUnsigned: o.AcceptUnsigned})
	}
	o.LimitMemory()
	// A reader that has enough closes the pipe. Writing to it must then fail with
	// an error of its own, and not end the process.
	signal.Ignore(syscall.SIGPIPE)
	err = o.get(ctx, service, std, progress, log)
	progress.Finish()
	// A connection to the server can break with EPIPE too.
	if output, ok := errors.AsType[*archive.OutputError](err); ok && errors.Is(output, syscall.EPIPE) {
		log.Verbosef("the reader has closed the pipe")
		return nil
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, cause) {
		return cause // what it cut short does not matter
	}
	return err
}

// get finds the archive and writes or verifies it.
func (o *options) get(ctx context.Context, service store.Service, std cli.Streams, progress *cli.Progress, log *cli.Log) error {
	if o.Js3tream {
		return o.getJs3tream(ctx, service, std, progress, log)
	}
	address, err := archive.ParseAddress(o.Address)
	if err != nil {
		return err
	}
	bucket := service.Bucket(address.Bucket)
	m, err := find(ctx, bucket, address, len(o.VerifyKey) > 0, log)
	if err != nil {
		return err
	}
	log.Verbosef("reading %s:%s:%s, %s in %d chunks", address.Bucket, m.Name, m.Run, cli.FormatSize(m.Bytes), m.Chunks)
	progress.Begin(describe.Tool)
	progress.Expect(m.Bytes, false)
	if o.Verify {
		if err := archive.Verify(ctx, bucket, m, o.options(progress, log)); err != nil {
			return err
		}
		log.Verbosef("verified %s:%s:%s", address.Bucket, m.Name, m.Run)
		return nil
	}
	return archive.Get(ctx, bucket, m, counted{std.Out, progress}, o.options(progress, log))
}

// find reads the manifest of the run that an address means. With verifying, it
// warns of a run that nobody has signed.
func find(ctx context.Context, bucket archive.Store, address archive.Address, verifying bool, log *cli.Log) (*archive.Manifest, error) {
	if address.Run == "" {
		unsigned := 0
		m, err := archive.Newest(ctx, bucket, address.Name, func(info archive.RunInfo) {
			switch {
			case errors.Is(info.Err, archive.ErrUnsigned):
				unsigned++
			case info.Err != nil:
				log.Warnf("the run %s is passed over: %v", info.Run, info.Err)
			default:
				log.Warnf("the run %s is read although nobody has signed it", info.Run)
			}
		})
		if unsigned > 0 {
			log.Warnf("newer runs are passed over, because nobody has signed them: %d", unsigned)
		}
		return m, err
	}
	info, err := archive.DescribeRun(ctx, bucket, address.Name, address.Run)
	switch {
	case err != nil:
		return nil, err
	case info.State == archive.Incomplete:
		if _, err := archive.Exists(ctx, bucket, address.Name, address.Run); err != nil {
			return nil, err // it is the bucket that is missing
		}
		return nil, cli.WithHint(cli.Errorf(cli.NotFound, "run %q: %w", address, archive.ErrNotExist),
			"s3ls -r %s:%s lists the runs; one that is incomplete cannot be read", address.Bucket, address.Name)
	case info.State == archive.Unsigned && errors.Is(info.Err, archive.ErrUnsigned):
		return nil, cli.WithHint(info.Err, "--accept-unsigned reads it")
	case info.Manifest == nil:
		return nil, info.Err
	case info.State == archive.Suspect:
		log.Warnf("the run %s is not what %s:%s means: %v", address.Run, address.Bucket, address.Name, info.Err)
	}
	if verifying && info.SignedBy == "" {
		log.Warnf("the run %s is read although nobody has signed it", info.Run)
	}
	return info.Manifest, nil
}

func (o *options) getJs3tream(ctx context.Context, service store.Service, std cli.Streams, progress *cli.Progress, log *cli.Log) error {
	bucketName, name, err := archive.ParseJs3tream(o.Address)
	if err != nil {
		return err
	}
	bucket := service.Bucket(bucketName)
	a, err := archive.OpenJs3tream(ctx, bucket, name, int64(o.Memory))
	if err != nil {
		return err
	}
	what := cmp.Or(strings.TrimSuffix(a.Prefix, ":"), bucketName)
	log.Warnf("%s has no manifest: nothing shows that these %d chunks are whole or all", what, a.Chunks())
	progress.Begin(describe.Tool)
	progress.Expect(a.Bytes(), false)
	return a.Get(ctx, bucket, counted{std.Out, progress}, o.options(progress, log))
}

func (o *options) options(progress *cli.Progress, log *cli.Log) archive.GetOptions {
	return archive.GetOptions{
		Budget: o.Budget(),
		Fetched: func(number, size int64) {
			log.Verbosef("verified chunk %d, %s", number, cli.FormatSize(size))
		},
		Moved: func(n int64) {
			progress.Moved(n)
			if o.Verify {
				progress.Piped(n) // it goes nowhere
			}
		},
	}
}

// counted tells how much has been written.
type counted struct {
	io.Writer
	progress *cli.Progress
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.progress.Piped(int64(n))
	return n, err
}
