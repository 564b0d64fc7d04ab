package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/page"
)

func htmlFlag() urfave.Flag {
	return &urfave.StringFlag{Name: "html", Usage: "write a page for browsers to `FILE`, - for stdout, instead of the table", TakesFile: true}
}

func checkHTML(c *urfave.Context) error {
	switch file := c.String("html"); {
	case c.IsSet("html") && file == "":
		return cli.UsageErrorf("--html: the name of the file is empty; - is stdout")
	case file == "-" && (c.Bool("json") || c.String("prometheus") == "-"):
		return cli.UsageErrorf("two forms are to be written to stdout: give --html the name of a file")
	}
	return nil
}

// writePage writes the page to a file, or to stdout.
func writePage(file string, stdout io.Writer, p page.Page) error {
	if file == "-" {
		out := bufio.NewWriter(stdout)
		if err := page.Write(out, p); err != nil {
			return err
		}
		return out.Flush()
	}
	if err := replaceFile(file, func(w io.Writer) error { return page.Write(w, p) }); err != nil {
		return fmt.Errorf("--html %q: %w", file, err)
	}
	return nil
}

// replaceFile gives a file a new content at once: who reads it finds the old or the new
// one, whole. A new file is its owner's alone. One that is there keeps its group, and
// keeps who may read it, if it is the caller's own; nobody else gets to write it.
func replaceFile(path string, write func(io.Writer) error) error {
	old, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !old.Mode().IsRegular():
		return errors.New("it is there, and not a regular file")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".napback-*.tmp") // mode 0600
	if err != nil {
		var at *fs.PathError // whose path is random
		if errors.As(err, &at) {
			err = at.Err
		}
		return fmt.Errorf("make a new file beside it: %w", err)
	}
	defer os.Remove(f.Name()) // unless that is no longer its name
	out := bufio.NewWriter(f)
	err = write(out)
	if err == nil {
		err = out.Flush()
	}
	if err == nil && old != nil {
		err = keepReaders(f, old)
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
