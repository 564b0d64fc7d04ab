package main

import (
	"context"
	"errors"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/store"
)

// countRuns prints each run that the command line names with the result of
// counting its objects. The error has the code cli.Integrity if one is not
// whole, else cli.NotFound if one is not there.
func (o *options) countRuns(ctx context.Context, service store.Service, out *printer, log *cli.Log) error {
	addresses := make([]archive.Address, len(o.Addresses))
	for i, text := range o.Addresses {
		a, err := archive.ParseAddress(text)
		if err != nil {
			return err
		}
		if a.Run == "" {
			return cli.UsageErrorf("address %q: --whole wants BUCKET:NAME:RUN", text)
		}
		addresses[i] = a
	}
	var broken, absent error
	err := archive.InOrder(ctx, o.Concurrency, archive.Each(addresses...),
		func(ctx context.Context, a archive.Address) (counted, error) {
			return count(ctx, service, a)
		},
		func(c counted) error {
			if c.absent {
				absent = cli.WithHint(cli.Errorf(cli.NotFound, "run %q: %w", c.address, archive.ErrNotExist), "s3ls -r lists the runs")
				log.Warnf("%s is not there", c.address)
				return nil
			}
			if !*c.line.Whole {
				broken = cli.Errorf(cli.Integrity, "run %q is not whole: %s", c.address, c.line.Error)
			}
			return out.run(c.line)
		})
	if err == nil {
		err = out.flush()
	}
	switch {
	case err != nil:
		return err
	case broken != nil:
		return broken
	}
	return absent
}

// counted is a run and whether it is whole.
type counted struct {
	address archive.Address
	line    runLine
	absent  bool // nothing of it is there
}

// count describes and counts one run. A run whose manifest may not be read is
// judged by its objects alone; one that cannot be read otherwise is not whole.
func count(ctx context.Context, service store.Service, a archive.Address) (counted, error) {
	st := service.Bucket(a.Bucket)
	info, err := archive.DescribeRun(ctx, st, a.Name, a.Run)
	if err != nil {
		return counted{}, err
	}
	c := counted{address: a, line: newRunLine(service, a.Bucket, info)}
	if info.State == archive.Incomplete {
		exists, err := archive.Exists(ctx, st, a.Name, a.Run)
		if err != nil {
			return c, err
		}
		c.absent = !exists
	}
	why := info.Err
	switch {
	case info.State == archive.Incomplete:
		why = errors.New("it was never committed")
	case info.Manifest != nil || info.Denied:
		if why, err = archive.Whole(ctx, st, a.Name, a.Run, info.Manifest); err != nil {
			return c, err
		}
	}
	whole := why == nil
	if c.line.Whole = &whole; !whole {
		c.line.Error = why.Error()
	}
	return c, nil
}
