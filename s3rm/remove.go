package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/store"
)

type options struct {
	Addresses []string `arg:"" name:"bucket:name" help:"What to remove: BUCKET:NAME with all its runs, or BUCKET:NAME:RUN. With --superseded or --incomplete BUCKET:NAME or a whole BUCKET; with --bucket a BUCKET."`

	store.Options

	Superseded bool          `help:"Remove only runs that a newer committed run has superseded."`
	Incomplete bool          `help:"Remove only runs that were never committed."`
	OlderThan  time.Duration `default:"48h" placeholder:"TIME" help:"How long ago an incomplete run must have stored its last object (default: 48h)."`
	Bucket     bool          `help:"Remove a bucket, which must be empty."`
	Yes        bool          `short:"y" help:"Do not ask."`
	Pretend    bool          `short:"p" help:"Print what would be removed, remove nothing."`
	cli.Verbosity
}

var describe = cli.Describe{
	Tool:    "s3rm",
	Usage:   "BUCKET:NAME[:RUN]... [flags]",
	Purpose: "Remove archives or runs, manifest first.",
	Example: "s3rm -p --superseded --incomplete bucket",
}

func (o *options) check() error {
	switch {
	case o.Bucket && (o.Superseded || o.Incomplete):
		return cli.UsageErrorf("--bucket removes an empty bucket; it does not go with --superseded or --incomplete")
	case o.OlderThan < 0:
		return cli.UsageErrorf("--older-than cannot be negative")
	case o.OlderThan != archive.StaleAfter && !o.Incomplete:
		return cli.UsageErrorf("--older-than goes with --incomplete")
	}
	return nil
}

func run(ctx context.Context, args []string, std cli.Streams) error {
	o := new(options)
	if done, err := cli.Parse(o, args, std, describe); done || err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	log := o.Log(describe.Tool, std)
	service, err := store.Open(ctx, store.Config{Options: o.Options, Attempts: 5, Log: log})
	if err != nil {
		return err
	}
	targets, err := o.find(ctx, service)
	if err != nil {
		return err
	}
	if len(targets) == 0 {
		log.Verbosef("nothing to remove")
		return nil
	}
	if o.Pretend {
		for _, t := range targets {
			if _, err := fmt.Fprintln(std.Out, cli.Safe(t.String())); err != nil {
				return fmt.Errorf("write the list: %w", err)
			}
		}
		return nil
	}
	if err := o.confirm(ctx, targets, std); err != nil {
		return err
	}
	for _, t := range targets {
		if err := t.remove(ctx, service); err != nil {
			return err
		}
		log.Verbosef("removed %s", t)
	}
	return nil
}

// target is a run, or a bucket if the name is empty.
type target struct {
	archive.Address
	// incomplete: it is to be removed only as long as it is that. While the
	// question waits for its answer its upload may end well.
	incomplete bool
}

func (t target) String() string {
	if t.Name == "" {
		return t.Bucket
	}
	return t.Address.String()
}

func (t target) remove(ctx context.Context, service store.Service) error {
	if t.Name == "" {
		return service.DeleteBucket(ctx, t.Bucket)
	}
	bucket := service.Bucket(t.Bucket)
	if t.incomplete {
		info, err := archive.DescribeRun(ctx, bucket, t.Name, t.Run)
		if err != nil {
			return err
		}
		if info.State != archive.Incomplete {
			return fmt.Errorf("%q has been committed meanwhile and stays", t.Address)
		}
	}
	return archive.RemoveRun(ctx, bucket, t.Name, t.Run)
}

// find works out what the command line means.
func (o *options) find(ctx context.Context, service store.Service) ([]target, error) {
	var targets []target
	for _, text := range o.Addresses {
		found, err := o.findOne(ctx, service, text)
		if err != nil {
			return nil, err
		}
		targets = append(targets, found...)
	}
	return targets, nil
}

func (o *options) findOne(ctx context.Context, service store.Service, text string) ([]target, error) {
	if !strings.Contains(strings.TrimPrefix(text, "s3://"), ":") && !strings.Contains(strings.TrimPrefix(text, "s3://"), "/") {
		bucket, _, err := archive.ParsePrefix(text)
		switch {
		case err != nil:
			return nil, err
		case o.Bucket:
			return []target{{Address: archive.Address{Bucket: bucket}}}, nil
		case !o.Superseded && !o.Incomplete:
			return nil, cli.WithHint(cli.UsageErrorf("address %q: want BUCKET:NAME", text), "--bucket removes a bucket that is empty")
		}
		return o.findAll(ctx, service, bucket)
	}
	if o.Bucket {
		return nil, cli.UsageErrorf("address %q: --bucket wants the name of a bucket alone", text)
	}
	address, err := archive.ParseAddress(text)
	if err != nil {
		return nil, err
	}
	st := service.Bucket(address.Bucket)
	if o.Superseded || o.Incomplete {
		if address.Run != "" {
			return nil, cli.UsageErrorf("address %q: --superseded and --incomplete choose the runs themselves", text)
		}
		return o.findRuns(ctx, st, address)
	}
	return findExact(ctx, st, address)
}

// findExact returns all runs of a name, or the one that the address names.
func findExact(ctx context.Context, st archive.Store, address archive.Address) ([]target, error) {
	runs, err := archive.ListRuns(ctx, st, address.Name)
	if err != nil {
		return nil, err
	}
	var targets []target
	for _, run := range runs {
		if address.Run == "" || address.Run == run {
			targets = append(targets, target{Address: archive.Address{Bucket: address.Bucket, Name: address.Name, Run: run}})
		}
	}
	if len(targets) == 0 {
		return nil, cli.WithHint(cli.Errorf(cli.NotFound, "%q: %w", address, archive.ErrNotExist),
			"s3ls -r %s lists what is there", address.Bucket)
	}
	return targets, nil
}

// findAll is findRuns for every name in a bucket.
func (o *options) findAll(ctx context.Context, service store.Service, bucket string) ([]target, error) {
	var targets []target
	st := service.Bucket(bucket)
	for name, err := range archive.Names(ctx, st, "") {
		if err != nil {
			return nil, err
		}
		found, err := o.findRuns(ctx, st, archive.Address{Bucket: bucket, Name: name})
		if err != nil {
			return nil, err
		}
		targets = append(targets, found...)
	}
	return targets, nil
}

// findRuns returns the superseded and the incomplete runs of a name, as the
// flags ask for.
func (o *options) findRuns(ctx context.Context, st archive.Store, address archive.Address) ([]target, error) {
	infos, err := archive.DescribeName(ctx, st, address.Name, true)
	if err != nil {
		return nil, err
	}
	var targets []target
	for _, info := range infos {
		remove := o.Superseded && info.State == archive.Superseded
		if o.Incomplete && info.State == archive.Incomplete {
			newest, err := archive.NewestObject(ctx, st, info.Name, info.Run)
			if err != nil {
				return nil, err
			}
			remove = time.Since(newest) >= o.OlderThan
		}
		if remove {
			targets = append(targets, target{
				Address:    archive.Address{Bucket: address.Bucket, Name: info.Name, Run: info.Run},
				incomplete: info.State == archive.Incomplete,
			})
		}
	}
	return targets, nil
}

// confirm asks on a terminal. Elsewhere only --yes is consent.
func (o *options) confirm(ctx context.Context, targets []target, std cli.Streams) error {
	if o.Yes {
		return nil
	}
	if !cli.IsTerminal(std.In) {
		return cli.WithHint(cli.UsageErrorf("will not remove %d items without being told so", len(targets)),
			"-y removes without asking; -p shows what it would be")
	}
	for _, t := range targets {
		fmt.Fprintln(std.Err, cli.Safe(t.String()))
	}
	fmt.Fprintf(std.Err, "remove these %d? [y/N] ", len(targets))
	answer, err := readLine(ctx, std.In)
	if err != nil {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was removed")
}

// readLine reads a line from a terminal, where Ctrl-C must end the wait.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		read <- result{line, err}
	}()
	select {
	case r := <-read:
		if r.err != nil && r.err != io.EOF {
			return "", fmt.Errorf("read the answer: %w", r.err)
		}
		return r.line, nil
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}
