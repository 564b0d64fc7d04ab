package main

import (
	"slices"
	"strings"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/sign"
	"napback/internal/store"
)

type options struct {
	Address string `arg:"" name:"bucket:name" help:"Where the archive goes: BUCKET:NAME or s3://BUCKET/NAME. COMMAND is the producer: the archive is committed only if it succeeds."`

	store.Options
	sign.VerifyFlags
	SignKey        string `placeholder:"FILE" help:"Sign the manifest with the secret key in FILE (exported; not readable by others)."`
	SignPassphrase string `name:"sign-passphrase-file" placeholder:"FILE" help:"Take the passphrase of that key from the first line of FILE (not readable by others)."`

	store.Transfer
	ChunkSize cli.Size          `short:"z" aliases:"size" default:"25000000" placeholder:"SIZE" help:"Bytes in a chunk: 25000000, 25M, 64MiB (default: 25000000)."`
	Tag       string            `short:"t" placeholder:"TEXT" help:"A note that s3ls shows."`
	Meta      map[string]string `short:"m" mapsep:"none" placeholder:"KEY=VALUE" help:"Put a value into the manifest; repeatable."`

	StorageClass string `placeholder:"CLASS" help:"Storage class of the chunks, such as STANDARD_IA."`
	SSE          string `name:"sse" placeholder:"ALGORITHM" help:"Server-side encryption: AES256, aws:kms or aws:kms:dsse."`
	SSEKMSKey    string `name:"sse-kms-key" placeholder:"ID" help:"Key for aws:kms."`
	CreateBucket bool   `help:"Create the bucket if it does not exist."`
	Keep         bool   `help:"Keep superseded runs of the name."`
	Owner        string `placeholder:"ID" help:"Who writes: only runs of the same owner are superseded."`
	Parent       string `placeholder:"RUN" help:"The run that this one builds on, for the manifest."`
	Pretend      bool   `short:"p" help:"Read the stream and say what would be stored; store nothing."`

	CommitFD *int  `name:"commit-fd" placeholder:"N" help:"Commit only if descriptor N delivers the line \"commit\" and ends."`
	OKExit   []int `name:"ok-exit" placeholder:"LIST" help:"Exit statuses of COMMAND that count as success, besides 0."`

	JSON bool `name:"json" help:"Print JSON, an object a line: the run that begins, then what is committed."`
	cli.Verbosity

	command []string // what stands behind --
	address archive.Address
}

var describe = cli.Describe{
	Tool:    "s3put",
	Usage:   "BUCKET:NAME [flags] [-- COMMAND...]",
	Purpose: "Store standard input, or what COMMAND writes, as an archive in S3 or a local directory.",
	Example: "tar -c /home | zstd | pgpipe -r me@example.org | s3put bucket:home\n" +
		"s3put bucket:db -- pg_dump mydb",
	Old: map[string]string{
		"-f": "-f of js3tream is --spool DIR: chunks are held in files in DIR instead of memory",
		"-b": "without -b: s3put BUCKET:NAME", "--bucket": "without --bucket: s3put BUCKET:NAME",
		"-i": "without -i: s3put always reads standard input, and s3get writes to standard output",
		"-o": "s3get BUCKET:NAME writes an archive to standard output",
	},
}

// parse reads the command line. done is true when there is nothing to do.
func parse(args []string, std cli.Streams) (o *options, done bool, err error) {
	o = new(options)
	dashes := slices.Index(args, "--")
	if dashes >= 0 && !cli.Completing(args) {
		o.command = args[dashes+1:]
		args = args[:dashes]
	}
	done, err = cli.Parse(o, args, std, describe)
	if err != nil && dashes < 0 && strings.Contains(err.Error(), "unexpected argument") {
		err = cli.WithHint(err, "a command goes behind --, as in: s3put BUCKET:NAME -- COMMAND")
	}
	if done || err != nil {
		return nil, done, err
	}
	if dashes >= 0 && len(o.command) == 0 {
		return nil, false, cli.UsageErrorf("no command after --")
	}
	if o.address, err = archive.ParseAddress(o.Address); err != nil {
		return nil, false, err
	}
	return o, false, o.check()
}

// check refuses what cannot be meant.
func (o *options) check() error {
	switch {
	case o.address.Run != "":
		return cli.UsageErrorf("address %q: leave out the run: s3put names it", o.Address)
	case o.ChunkSize < 1:
		return cli.UsageErrorf("--chunk-size must be at least 1 byte")
	case o.ChunkSize > maxObject:
		return cli.UsageErrorf("--chunk-size: S3 takes at most 5 GiB in one object")
	case o.Spool == "" && o.ChunkSize > o.Memory:
		return cli.WithHint(cli.UsageErrorf("chunks of %s do not fit into --memory %s",
			cli.FormatSize(int64(o.ChunkSize)), cli.FormatSize(int64(o.Memory))),
			"give more --memory, or --spool DIR to hold them in files")
	case o.SSEKMSKey != "" && o.SSE != "aws:kms" && o.SSE != "aws:kms:dsse":
		return cli.UsageErrorf("--sse-kms-key needs --sse aws:kms")
	case o.SignPassphrase != "" && o.SignKey == "":
		return cli.UsageErrorf("--sign-passphrase-file goes with --sign-key")
	case len(o.VerifyKey) > 0 && o.SignKey == "":
		return cli.UsageErrorf("--verify-key needs --sign-key: who verifies would not see an archive that is not signed")
	case o.CommitFD != nil && o.command != nil:
		return cli.UsageErrorf("--commit-fd and a command are two ways to commit: give one")
	case o.CommitFD != nil && *o.CommitFD < 3:
		return cli.UsageErrorf("--commit-fd must be 3 or more: 0, 1 and 2 are taken")
	case o.OKExit != nil && o.command == nil:
		return cli.UsageErrorf("--ok-exit is about a command: give one behind --")
	case slices.ContainsFunc(o.OKExit, func(status int) bool { return status < 0 || status > 255 }):
		return cli.UsageErrorf("--ok-exit: exit statuses go from 0 to 255")
	}
	if o.Owner != "" {
		if err := archive.CheckOwner(o.Owner); err != nil {
			return cli.UsageErrorf("--owner: %w", err)
		}
	}
	if o.Parent != "" {
		if _, err := archive.ParseRun(o.Parent); err != nil {
			return cli.UsageErrorf("--parent: %w", err)
		}
	}
	if _, ok := o.Meta[""]; ok {
		return cli.UsageErrorf("--meta: a value needs a key")
	}
	return o.Transfer.Check()
}

// maxObject is the largest object that one S3 request can create, in bytes.
const maxObject = 5 << 30
