package main

import (
	"context"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/store"
)

type options struct {
	Address string `arg:"" optional:"" name:"bucket:prefix" help:"BUCKET, or BUCKET:PREFIX for names that begin with PREFIX. Without it the buckets are listed."`

	store.Options

	Runs        bool `short:"r" help:"List every run, not only the newest committed one of each name."`
	Chunks      bool `help:"List the chunks of each run, with their sums."`
	All         bool `short:"a" help:"List also what other tools stored."`
	JSON        bool `name:"json" help:"Print one JSON object a line."`
	Concurrency int  `short:"c" default:"16" placeholder:"N" help:"Requests at the same time (default: 16)."`
	cli.Verbosity
}

var describe = cli.Describe{
	Tool:    "s3ls",
	Usage:   "[BUCKET[:PREFIX]] [flags]",
	Purpose: "List the archives in a bucket: when committed, bytes, chunks, state, name and tag.",
	Example: "s3ls bucket:home\ns3ls --json -r bucket | jq -r 'select(.state == \"incomplete\") | .name'",
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
	service, err := store.Open(ctx, store.Config{Options: o.Options, Attempts: attempts, Log: log})
	if err != nil {
		return err
	}
	out := newPrinter(std.Out, o.JSON, o.Runs || o.Chunks)
	if o.Address == "" {
		return listBuckets(ctx, service, out)
	}
	bucket, prefix, err := archive.ParsePrefix(o.Address)
	if err != nil {
		return err
	}
	l := &lister{options: o, bucket: bucket, st: service.Bucket(bucket), out: out}
	if o.All {
		return l.listAll(ctx, prefix)
	}
	return l.list(ctx, prefix)
}

// attempts is how often a request is tried. A listing is not worth waiting
// for long.
const attempts = 5

func (o *options) check() error {
	switch {
	case o.Concurrency < 1:
		return cli.UsageErrorf("--concurrency must be at least 1")
	case o.Address == "" && (o.Runs || o.Chunks || o.All):
		return cli.UsageErrorf("-r, --chunks and -a need a bucket")
	case o.Chunks && o.All:
		return cli.UsageErrorf("--chunks and -a exclude each other")
	}
	return nil
}
