package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/store"
)

// listBuckets prints the buckets that the credentials can see.
func listBuckets(ctx context.Context, service store.Service, out *printer) error {
	buckets, err := service.Buckets(ctx)
	if err != nil {
		return err
	}
	for _, b := range buckets {
		if err := out.bucket(bucketLine{Bucket: b.Name, Created: timePointer(b.Created)}); err != nil {
			return err
		}
	}
	return out.flush()
}

// lister lists one bucket.
type lister struct {
	*options
	bucket  string
	service store.Service
	st      archive.Store
	out     *printer
	log     *cli.Log

	unsigned int   // runs that nobody has signed, and that are not shown
	partial  error // why the list is not complete; the listing goes on
}

// clock prints the time by the store's clock, if that is asked for. The service
// tells it with each answer, so a request comes first.
func (l *lister) clock(ctx context.Context, prefix string) error {
	if !l.Clock {
		return nil
	}
	for _, err := range l.st.List(ctx, archive.Query{Prefix: prefix, Delimiter: ":"}) {
		if err != nil {
			return err
		}
		break
	}
	now, _ := l.st.Clock()
	return l.out.clock(clockLine{StoreTime: timePointer(now)})
}

// list prints the archives whose names begin with prefix. Names come from
// one listing; what is known of each is fetched several names at a time.
func (l *lister) list(ctx context.Context, prefix string) error {
	err := archive.DescribeNames(ctx, l.st, archive.Names(l.st, prefix), l.Runs, l.Concurrency,
		func(s *archive.Survey) error { return l.print(ctx, s) })
	if err != nil {
		return err
	}
	if l.unsigned > 0 {
		l.log.Warnf("runs that nobody has signed, and that are not shown: %d; -r shows them, --accept-unsigned takes them", l.unsigned)
	}
	if err := l.out.flush(); err != nil {
		return err
	}
	return l.partial
}

// print prints the runs of a name. It lists chunks as it prints them, since they
// may be many. A name with too many runs is left out and makes the list partial:
// it must not hide the others.
func (l *lister) print(ctx context.Context, s *archive.Survey) error {
	if s.Err != nil {
		l.log.Warnf("%s: not shown: %v", l.bucket, s.Err)
		l.partial = cli.WithCode(cli.Integrity, fmt.Errorf("the list is not complete: %w", s.Err))
		return nil
	}
	first := true
	for info, err := range s.Runs(ctx) {
		if err == nil {
			err = l.printRun(ctx, info, first)
		}
		if err != nil {
			return err
		}
		first = false
	}
	return nil
}

func (l *lister) printRun(ctx context.Context, info archive.RunInfo, first bool) error {
	if info.State == archive.Unsigned && !l.Runs {
		if errors.Is(info.Err, archive.ErrUnsigned) {
			l.unsigned++
		} else {
			l.log.Warnf("%s:%s:%s is passed over: %v", l.bucket, info.Name, info.Run, info.Err)
		}
		return nil
	}
	if info.State == archive.Suspect && !l.Runs && !first {
		l.log.Warnf("%s:%s:%s is passed over: %v", l.bucket, info.Name, info.Run, info.Err)
		return nil
	}
	if err := l.out.run(newRunLine(l.service, l.bucket, info)); err != nil || !l.Chunks {
		return err
	}
	for chunk, err := range archive.Chunks(ctx, l.st, info) {
		if err != nil {
			return err
		}
		if err := l.out.chunk(newChunkLine(l.bucket, info, chunk)); err != nil {
			return err
		}
	}
	return nil
}

// listAll prints the archives and, apart from them, everything else whose key
// begins with prefix: js3tream's archives as one line each, other objects as
// they are. It walks every key.
func (l *lister) listAll(ctx context.Context, prefix string) error {
	if err := l.list(ctx, prefix); err != nil && l.partial == nil {
		return err
	}
	var last *objectLine // to which what comes next may be added
	printLast := func() error {
		if last == nil {
			return nil
		}
		line := *last
		last = nil
		return l.out.object(line)
	}
	prefixes := []string{prefix}
	if !strings.HasPrefix(prefix, "/") {
		prefixes = append(prefixes, "/"+prefix) // js3tream's names may begin so
	}
	if prefix == "" {
		prefixes = prefixes[:1]
	}
	for _, p := range prefixes {
		for e, err := range l.st.List(ctx, archive.Query{Prefix: p}) {
			if err != nil {
				return err
			}
			if archive.IsOurs(e.Key) {
				continue
			}
			line := objectLine{Bucket: l.bucket, Key: e.Key, State: "other", Modified: timePointer(e.Modified), Bytes: e.Size}
			if name, ok := archive.Js3treamName(e.Key); ok {
				line.Key, line.State, line.Chunks = name, "js3tream", 1
			}
			if last != nil && last.add(line) {
				continue
			}
			if err := printLast(); err != nil {
				return err
			}
			last = &line
		}
	}
	if err := printLast(); err != nil {
		return err
	}
	if err := l.out.flush(); err != nil {
		return err
	}
	return l.partial
}

// add adds a chunk of the same js3tream archive, and tells whether it is one.
func (o *objectLine) add(chunk objectLine) bool {
	if o.Chunks == 0 || chunk.Chunks == 0 || o.Key != chunk.Key {
		return false
	}
	o.Bytes += chunk.Bytes
	o.Chunks++
	if chunk.Modified != nil && (o.Modified == nil || chunk.Modified.After(*o.Modified)) {
		o.Modified = chunk.Modified
	}
	return true
}

func timePointer(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
