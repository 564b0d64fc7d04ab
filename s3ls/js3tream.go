package main

import (
	"context"
	"strings"

	"napback/internal/archive"
	"napback/internal/store"
)

// listJs3tream prints the archives of js3tream whose names begin with what the
// address says, with or without a slash before; with
// --names exactly so, since that is to be cheap.
func (o *options) listJs3tream(ctx context.Context, service store.Service, out *printer) error {
	bucket, prefix, err := archive.ParseJs3tream(o.Addresses[0])
	if err != nil {
		return err
	}
	l := &lister{options: o, bucket: bucket, st: service.Bucket(bucket), out: out}
	if o.Names {
		if err := l.printJs3treamNames(ctx, prefix); err != nil {
			return err
		}
		return l.out.flush()
	}
	prefixes := []string{prefix}
	if plain := strings.TrimLeft(prefix, "/"); plain != "" {
		prefixes = []string{"/" + plain, plain}
	}
	for _, p := range prefixes {
		if err := l.printJs3treams(ctx, p); err != nil {
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
