package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/sign"
	"napback/internal/store"
)

type options struct {
	Addresses []string `arg:"" name:"bucket:name" help:"What to remove: BUCKET:NAME with all its runs, or BUCKET:NAME:RUN. With --superseded or --incomplete BUCKET:NAME or a whole BUCKET; with --bucket a BUCKET."`

	store.Options
	sign.VerifyFlags

	Superseded bool          `help:"Remove only runs that a newer committed run has superseded."`
	Incomplete bool          `help:"Remove only runs that were never committed."`
	OlderThan  time.Duration `default:"48h" placeholder:"TIME" help:"How long ago an incomplete run must have stored its last object (default: 48h)."`
	Js3tream   bool          `name:"js3tream" help:"Remove archives that js3tream stored: BUCKET:NAME, or BUCKET for one without a name."`
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
	Old: map[string]string{
		"-d": "without -d: s3rm --js3tream BUCKET:NAME removes what js3tream stored",
		"-b": "without -b: s3rm BUCKET:NAME",
	},
}

func (o *options) check() error {
	switch {
	case o.Js3tream && (o.Bucket || o.Superseded || o.Incomplete || len(o.VerifyKey) > 0):
		return cli.UsageErrorf("--js3tream archives have no runs and no signatures: it does not go with --superseded, --incomplete, --verify-key or --bucket")
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
	verifier, err := o.Verifier()
	if err != nil {
		return err
	}
	service, err := store.Open(ctx, store.Config{Options: o.Options, Log: log})
	if err != nil {
		return err
	}
	if verifier != nil {
		service = store.Trusting(service, archive.Trust{Verifier: verifier, AcceptUnsigned: o.AcceptUnsigned})
	}
	targets, err := o.find(ctx, service, log)
	some := errors.Is(err, archive.ErrTooManyRuns) && len(targets) > 0
	if some {
		log.Warnf("%v: these are %d of them", err, len(targets))
		err = cli.WithHint(err, "run it again for the others")
	}
	if err != nil && !some {
		return err
	}
	if len(targets) == 0 {
		log.Verbosef("nothing to remove")
		return nil
	}
	if o.Pretend {
		return errors.Join(show(targets, std), err)
	}
	targets, refused := o.confirm(ctx, service, targets, std, log)
	if refused != nil {
		return refused
	}
	for _, t := range targets {
		if err := t.remove(ctx, service); err != nil {
			return err
		}
		log.Verbosef("removed %s", t)
	}
	return err
}

// show prints what would be removed.
func show(targets []target, std cli.Streams) error {
	var lines strings.Builder
	for _, t := range targets {
		fmt.Fprintln(&lines, cli.Safe(t.String()))
	}
	return cli.Printf(std.Out, "%s", lines.String())
}

// target is a run, or a bucket if the name is empty.
type target struct {
	archive.Address
	// incomplete: it may be removed only while it is incomplete. Its upload may
	// end well while the question waits for its answer.
	incomplete bool
	js3tream   string // if it is an archive of js3tream: what is known of it
}

func (t target) String() string {
	switch {
	case t.js3tream != "" && t.Name == "":
		return t.Bucket + "  " + t.js3tream
	case t.js3tream != "":
		return t.Address.String() + "  " + t.js3tream
	}
	if t.Name == "" {
		return t.Bucket
	}
	return t.Address.String()
}

func (t target) remove(ctx context.Context, service store.Service) error {
	if t.js3tream != "" {
		return archive.RemoveJs3tream(ctx, service.Bucket(t.Bucket), t.Name)
	}
	if t.Name == "" {
		return service.DeleteBucket(ctx, t.Bucket)
	}
	bucket := service.Bucket(t.Bucket)
	if t.incomplete {
		return archive.RemoveIncomplete(ctx, bucket, t.Name, t.Run)
	}
	return archive.RemoveRun(ctx, bucket, t.Name, t.Run)
}

// find works out what the command line means. Of too many runs it returns some,
// with an error that wraps ErrTooManyRuns.
func (o *options) find(ctx context.Context, service store.Service, log *cli.Log) ([]target, error) {
	var targets []target
	for _, text := range o.Addresses {
		found, err := o.findOne(ctx, service, text, log)
		targets = append(targets, found...)
		if err != nil {
			return targets, err
		}
	}
	return targets, nil
}

func (o *options) findOne(ctx context.Context, service store.Service, text string, log *cli.Log) ([]target, error) {
	if o.Js3tream {
		return findJs3tream(ctx, service, text)
	}
	if !strings.ContainsAny(strings.TrimPrefix(text, "s3://"), ":/") {
		bucket, _, err := archive.ParsePrefix(text)
		switch {
		case err != nil:
			return nil, err
		case o.Bucket:
			return []target{{Address: archive.Address{Bucket: bucket}}}, nil
		case !o.Superseded && !o.Incomplete:
			return nil, cli.WithHint(cli.UsageErrorf("address %q: want BUCKET:NAME", text), "--bucket removes a bucket that is empty")
		}
		return o.findRuns(ctx, service.Bucket(bucket), archive.Address{Bucket: bucket}, log)
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
		return o.findRuns(ctx, st, address, log)
	}
	return findExact(ctx, st, address)
}

// findJs3tream returns an archive that js3tream stored.
func findJs3tream(ctx context.Context, service store.Service, text string) ([]target, error) {
	bucket, name, err := archive.ParseJs3tream(text)
	if err != nil {
		return nil, err
	}
	info, err := archive.FindJs3tream(ctx, service.Bucket(bucket), name)
	if err != nil {
		return nil, err
	}
	known := fmt.Sprintf("%s, %s", cli.Plural(info.Chunks, "chunk", "chunks"), cli.FormatSize(info.Bytes))
	if info.Err != nil {
		known += ", damaged: " + info.Err.Error()
	}
	return []target{{Address: archive.Address{Bucket: bucket, Name: name}, js3tream: known}}, nil
}

// findExact returns all runs of a name, or the one that the address names.
func findExact(ctx context.Context, st archive.Store, address archive.Address) (targets []target, err error) {
	if address.Run != "" {
		exists, err := archive.Exists(ctx, st, address.Name, address.Run)
		if err != nil {
			return nil, err
		}
		if exists {
			return []target{{Address: address}}, nil
		}
	} else {
		runs, tooMany := archive.ListRuns(ctx, st, address.Name)
		for _, run := range runs {
			targets = append(targets, target{Address: archive.Address{Bucket: address.Bucket, Name: address.Name, Run: run}})
		}
		if tooMany != nil || len(runs) > 0 {
			return targets, tooMany
		}
	}
	return nil, cli.WithHint(cli.Errorf(cli.NotFound, "%q: %w", address, archive.ErrNotExist),
		"s3ls -r %s lists what is there", address.Bucket)
}

// findRuns returns the superseded and the incomplete runs of a name, or of the
// whole bucket if the address has none, as the flags ask for.
func (o *options) findRuns(ctx context.Context, st archive.Store, address archive.Address, log *cli.Log) ([]target, error) {
	look := address.Name
	if o.Superseded {
		look = "" // what a run builds on, or is built on, may have any name
	}
	all, err := read(ctx, st, look, !o.Superseded)
	if err != nil && (o.Superseded || !errors.Is(err, archive.ErrTooManyRuns)) {
		return nil, err // what supersedes a run, or builds on it, may be one that was not seen
	}
	tooMany := err
	var targets []target
	add := func(r facts) {
		targets = append(targets, target{
			Address:    archive.Address{Bucket: address.Bucket, Name: r.name, Run: r.run},
			incomplete: r.state == archive.Incomplete,
		})
	}
	if o.Superseded {
		found, err := superseded(all, address.Name, len(o.VerifyKey) > 0, log, func(r facts) (reason, err error) {
			return archive.Whole(ctx, st, r.name, r.run, r.m)
		})
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			add(r)
		}
	}
	for _, r := range all {
		if !o.Incomplete || r.state != archive.Incomplete || address.Name != "" && r.name != address.Name {
			continue
		}
		newest, err := archive.NewestObject(ctx, st, r.name, r.run)
		if err != nil {
			return nil, err
		}
		// 0 means any age: the service tells its clock in whole seconds only.
		if o.OlderThan == 0 || archive.Now(st).Sub(newest) >= o.OlderThan {
			add(r)
		}
	}
	return targets, tooMany
}

// confirm asks on a terminal and returns what may be removed: what the command
// line still means after the answer. Elsewhere only --yes is consent.
func (o *options) confirm(ctx context.Context, service store.Service, targets []target, std cli.Streams, log *cli.Log) ([]target, error) {
	if o.Yes {
		return targets, nil
	}
	if !cli.IsTerminal(std.In) {
		return nil, cli.WithHint(cli.UsageErrorf("nothing is removed: standard input is not a terminal to ask on"),
			"-y removes without asking; -p shows what it would be")
	}
	for _, t := range targets {
		fmt.Fprintln(std.Err, cli.Safe(t.String()))
	}
	what := "this"
	if len(targets) > 1 {
		what = fmt.Sprintf("these %d", len(targets))
	}
	if yes, err := cli.Confirm(ctx, std, "remove "+what+"?"); err != nil {
		return nil, err
	} else if !yes {
		return nil, errors.New("nothing was removed")
	}
	if !o.Superseded {
		return targets, nil
	}
	// By now, what superseded a run may be gone, or a new run may build on it.
	now, err := o.find(ctx, service, log)
	return slices.DeleteFunc(targets, func(t target) bool { return !slices.Contains(now, t) }), err
}
