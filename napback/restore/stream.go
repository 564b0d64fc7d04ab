package restore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"napback/internal/cli"
	"napback/internal/shell"
	"napback/napback/chain"
	"napback/napback/source"
)

// Stream restores what is no tree, such as the dump of a database: to a file, into
// a new file at To, or by a Loader of its kind.
type Stream struct {
	Request
	Loader source.Loader // nil: the stream is written
}

// Run loads the dump, or writes it to the file To.
func (d *Stream) Run(ctx context.Context) (Done, error) {
	if d.Loader != nil {
		return d.load(ctx)
	}
	return d.writeFile(ctx)
}

// writeFile writes the dump to a new file. What is not whole is removed.
func (d *Stream) writeFile(ctx context.Context) (Done, error) {
	f, err := os.OpenFile(d.To, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return Done{}, cli.WithHint(fmt.Errorf("destination %q exists", d.To), "give the name of a new file")
	}
	if err != nil {
		return Done{}, fmt.Errorf("destination: %w", err)
	}
	err = d.Copy(ctx, f)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		_ = os.Remove(d.To)
		return Done{}, err
	}
	return Done{What: d.Point.Source(), Where: "to " + d.To}, nil
}

// Copy writes the dump to out.
func (d *Stream) Copy(ctx context.Context, out io.Writer) error { return d.run(ctx, out) }

// run runs the chain of each archive.
func (d *Stream) run(ctx context.Context, out io.Writer, sink ...chain.Stage) error {
	d.show("restore", d.Point.Chain)
	defer d.From.Progress.End()
	for _, a := range d.Point.Chain {
		if len(d.Point.Chain) > 1 {
			d.From.Log.Notef("reading %s (%s)", a.Name, cli.FormatSize(a.Bytes))
		}
		_, err := d.From.Run(ctx, func() ([]chain.Status, error) {
			stages, err := d.From.Stages(a)
			if err != nil {
				return nil, err
			}
			c := chain.Chain{Stages: append(stages, sink...), Out: out, Log: d.From.Hear(), Aside: d.From.Watch(a)}
			return c.Run(ctx)
		})
		if err != nil {
			return fmt.Errorf("restore %s of run %s: %w", a.Name, a.Run, err)
		}
	}
	return nil
}

// load loads the dumps where nothing is lost by it.
func (d *Stream) load(ctx context.Context) (Done, error) {
	if err := d.Loader.Prepare(ctx); err != nil {
		return Done{}, err
	}
	sink, err := d.Loader.Stages(ctx)
	if err != nil {
		return Done{}, err
	}
	if err := d.run(ctx, nil, sink...); err != nil {
		return Done{}, cli.WithHint(d.Loader.Explain(err), "what has been loaded %s is not a complete restore", d.Loader.Where())
	}
	return Done{What: d.Point.Source(), Where: d.Loader.Where()}, nil
}

// Plan returns the commands of the restore.
func (d *Stream) Plan(ctx context.Context) (lines []string, err error) {
	var sink []chain.Stage
	if d.Loader != nil {
		if sink, err = d.Loader.Stages(ctx); err != nil {
			return nil, err
		}
		before, err := d.Loader.Before()
		if err != nil {
			return nil, err
		}
		for _, s := range before {
			lines = append(lines, s.String())
		}
	}
	for _, a := range d.Point.Chain {
		stages, err := d.From.Stages(a)
		if err != nil {
			return nil, err
		}
		c := chain.Chain{Stages: append(stages, sink...)}
		line := c.Lines()
		if d.Loader == nil && d.To != "" {
			line += " >>" + shell.Quote(d.To)
		}
		lines = append(lines, line)
	}
	return lines, nil
}
