package main

import (
	"context"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/sign"
	"napback/internal/store"
)

type options struct {
	Addresses []string `arg:"" optional:"" name:"bucket:prefix" help:"BUCKET, or BUCKET:PREFIX for names that begin with PREFIX. Without it the buckets are listed. With --whole BUCKET:NAME:RUN, of which there may be several."`

	store.Options
	sign.VerifyFlags

	Runs        bool `short:"r" help:"List every run, not only the newest committed one of each name."`
	Chunks      bool `help:"List the chunks of each run, with their sums."`
	All         bool `short:"a" help:"List also what other tools stored."`
	Js3tream    bool `name:"js3tream" help:"List only what js3tream stored."`
	Names       bool `help:"With --js3tream: only the names, without walking their chunks."`
	Clock       bool `help:"Print first what time it is by the store's clock."`
	Whole       bool `help:"Count the objects of single runs and say whether each is whole."`
	JSON        bool `name:"json" help:"Print one JSON object a line."`
	Concurrency int  `short:"c" default:"16" placeholder:"N" help:"Requests at the same time (default: 16)."`
	cli.Verbosity
}

var describe = cli.Describe{
	Tool:    "s3ls",
	Usage:   "[BUCKET[:PREFIX]] [flags] | --whole BUCKET:NAME:RUN...",
	Purpose: "List the archives in a bucket: when committed, bytes, chunks, state, name and tag.",
	Example: "s3ls bucket:home\ns3ls --json -r bucket | jq -r 'select(.state == \"incomplete\") | .name'",
	Old: map[string]string{
		"-l": "without -l: s3ls --js3tream BUCKET lists what js3tream stored",
		"-b": "without -b: s3ls --js3tream BUCKET lists what js3tream stored", "--bucket": "without --bucket: s3ls BUCKET",
	},
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
	out := newPrinter(std.Out, o.JSON, o.Runs || o.Chunks || o.Whole)
	if len(o.Addresses) == 0 {
		return listBuckets(ctx, service, out)
	}
	if o.Whole {
		return o.countRuns(ctx, service, out, log)
	}
	if o.Js3tream {
		return o.listJs3tream(ctx, service, out)
	}
	bucket, prefix, err := archive.ParsePrefix(o.Addresses[0])
	if err != nil {
		return err
	}
	l := &lister{options: o, bucket: bucket, service: service, st: service.Bucket(bucket), out: out, log: log}
	err = l.clock(ctx, prefix)
	switch {
	case err != nil:
	case o.All:
		err = l.listAll(ctx, prefix)
	default:
		err = l.list(ctx, prefix)
	}
	return err
}

func (o *options) check() error {
	switch {
	case o.Concurrency < 1:
		return cli.UsageErrorf("--concurrency must be at least 1")
	case len(o.Addresses) > 1 && !o.Whole:
		return cli.UsageErrorf("unexpected argument %s", o.Addresses[1])
	case o.Whole && (o.Runs || o.Chunks || o.All || o.Clock):
		return cli.UsageErrorf("--whole does not go with -r, --chunks, -a or --clock")
	case o.Js3tream && (o.Runs || o.Chunks || o.All || o.Clock || o.Whole || len(o.VerifyKey) > 0):
		return cli.UsageErrorf("--js3tream lists archives that have no runs, sums or signatures: it goes only with --names and --json")
	case o.Names && !o.Js3tream:
		return cli.UsageErrorf("--names goes with --js3tream")
	case o.Js3tream && len(o.Addresses) == 0:
		return cli.UsageErrorf("--js3tream needs a bucket")
	case o.Whole && len(o.Addresses) == 0:
		return cli.UsageErrorf("--whole needs BUCKET:NAME:RUN")
	case len(o.Addresses) == 0 && (o.Runs || o.Chunks || o.All):
		return cli.UsageErrorf("-r, --chunks and -a need a bucket")
	case len(o.Addresses) == 0 && o.Clock:
		return cli.UsageErrorf("--clock needs a bucket")
	case o.Chunks && o.All:
		return cli.UsageErrorf("--chunks and -a exclude each other")
	}
	return nil
}
