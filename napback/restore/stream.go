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
	"napback/napback/programs"
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

// Copy writes the dump to out. That nobody reads it to its end is no error.
func (d *Stream) Copy(ctx context.Context, out io.Writer) error {
	err := d.run(ctx, out)
	var failed *chain.Error
	if !errors.As(err, &failed) || !abandoned(out) {
		return err
	}
	if failed.LostReader() || programs.Decompresses(failed.Cause.Stage) { // of which gzip does not say why
		return nil
	}
	return err
}

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
			hear := d.From.Hear()
			c := chain.Chain{Stages: append(stages, sink...), Out: out, Aside: d.From.Watch(a), Log: func(stage, line string) {
				if !abandoned(out) { // else that is what they complain of
					hear(stage, line)
				}
			}}
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
	target, err := d.Loader.Target(ctx)
	if err != nil {
		return Done{}, err
	}
	d.From.Log.Notef("loading %s", cli.Safe(target))
	sink, err := d.Loader.Stages(ctx)
	if err != nil {
		return Done{}, err
	}
	if err := d.Loader.Prepare(ctx); err != nil {
		return Done{}, err
	}
	if err := d.look(ctx); err != nil {
		return Done{}, err
	}
	if err := d.run(ctx, nil, sink...); err != nil {
		err = d.Loader.Explain(err)
		if undo := d.Loader.Undo(ctx); undo != "" {
			err = cli.WithHint(err, "%s", cli.Safe(undo))
		}
		return Done{}, err
	}
	return Done{What: d.Point.Source(), Where: d.Loader.Where()}, nil
}

// look reads the archives for what the Loader has to know of them.
func (d *Stream) look(ctx context.Context) error {
	more, err := d.Loader.Look()
	if err != nil || len(more) == 0 {
		return err
	}
	var printed []byte
	for _, a := range d.Point.Chain {
		d.From.Log.Notef("reading %s (%s), to see what it needs", a.Name, cli.FormatSize(a.Bytes))
		_, err := d.From.Run(ctx, func() ([]chain.Status, error) {
			stages, err := d.From.Stages(a)
			if err != nil {
				return nil, err
			}
			c := chain.Chain{Stages: append(stages, more...), Log: d.From.Hear(), Aside: d.From.Watch(a)}
			return c.Reading(ctx, func(r io.Reader) (err error) {
				printed, err = programs.ReadAll(r, maxPrinted)
				return err
			})
		})
		if err != nil {
			return fmt.Errorf("read %s of run %s: %w", a.Name, a.Run, err)
		}
	}
	return d.Loader.Judge(ctx, printed)
}

// maxPrinted bounds what is found out of an archive, in bytes.
const maxPrinted = 32 << 20

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
