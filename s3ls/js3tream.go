package main

import (
	"context"
	"strings"

	"napback/internal/archive"
	"napback/internal/store"
)

// listJs3tream prints the archives of js3tream whose names begin with what the
// address says, with or without a slash before.
func (o *options) listJs3tream(ctx context.Context, service store.Service, out *printer) error {
	bucket, prefix, err := archive.ParseJs3tream(o.Addresses[0])
	if err != nil {
		return err
	}
	l := &lister{options: o, bucket: bucket, st: service.Bucket(bucket), out: out}
	prefixes := []string{""}
	if prefix != "" {
		plain := strings.TrimLeft(prefix, "/")
		prefixes = []string{"/" + plain, plain}
	}
	if prefix != "" && prefixes[1] == "" { // only what begins with a slash
		prefixes = prefixes[:1]
	}
	for _, p := range prefixes {
		if o.Names {
			err = l.printJs3treamNames(ctx, p)
		} else {
			err = l.printJs3treams(ctx, p)
		}
		if err != nil {
			return err
		}
	}
	return l.out.flush()
}

func (l *lister) printJs3treams(ctx context.Context, prefix string) error {
	for info, err := range archive.Js3treams(ctx, l.st, prefix) {
		if err != nil {
			return err
		}
		line := objectLine{
			Bucket: l.bucket, Key: info.Name, State: "js3tream",
			Modified: timePointer(info.Modified), Bytes: info.Bytes, Chunks: info.Chunks,
		}
		if info.Err != nil {
			line.State, line.Error = "damaged", info.Err.Error()
		}
		if err := l.out.object(line); err != nil {
			return err
		}
	}
	return nil
}

func (l *lister) printJs3treamNames(ctx context.Context, prefix string) error {
	for name, err := range archive.Js3treamNames(ctx, l.st, prefix) {
		if err != nil {
			return err
		}
		if err := l.out.line(js3treamName{Bucket: l.bucket, Key: name, State: "js3tream"}, "%s", name); err != nil {
			return err
		}
	}
	return nil
}
