//go:build unix

package drill

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"napback/napback/source/tar"
)

// compare compares what was restored with the source, if that is here.
func (o *trying) compare(ctx context.Context) error {
	source := o.request.Source
	c := &comparison{began: o.report.Point.Began()}
	var err error
	if c.restored, err = os.OpenRoot(filepath.Join(o.request.To, source)); err != nil {
		return fmt.Errorf("look at what was restored: %w", err)
	}
	defer c.restored.Close()
	switch last := o.report.Point; {
	case !o.live:
		o.note("not compared: the source is not on this host")
	case c.began.IsZero() || last.Committed.Before(c.began):
		o.note("not compared: the clock was wrong when the backup was made")
	default:
		if c.live, err = os.OpenRoot(source); err != nil {
			o.note("not compared: the source cannot be read: %v", err)
			c.live = nil
			break
		}
		defer c.live.Close()
	}
	if err := c.all(ctx); err != nil {
		return err
	}
	if c.live != nil {
		if err := o.names(ctx, c); err != nil {
			return err
		}
	}
	o.report.Proved, o.report.Restored, o.report.Wrong = c.inWords(), c.bytes, c.faults
	if more := c.wrong - int64(len(c.faults)); more > 0 {
		o.report.Wrong = append(o.report.Wrong, fmt.Sprintf("and %d more", more))
	}
	return nil
}

// names looks for what a backup would store now, and was not restored.
func (o *trying) names(ctx context.Context, c *comparison) error {
	list, err := tar.Listing(ctx, o.Host, o.target.Job.OfSource())
	if err != nil {
		return err
	}
	of := strings.TrimPrefix(o.request.Source, "/")
	_, err = o.From.Kit.Reading(ctx, list, func(string, string) {}, func(r io.Reader) error {
		return tar.Names(r, func(name string) error {
			if of != "" {
				name = strings.TrimPrefix(strings.TrimPrefix(name, of), "/")
			}
			if name != "" {
				c.missing(name)
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("list the source: %w", err)
	}
	return nil
}
