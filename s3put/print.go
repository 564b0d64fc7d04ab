package main

import (
	"fmt"
	"io"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
)

// The lines that s3put prints with --json. New fields may come; the ones that
// are here stay.

// beginLine comes before anything is uploaded, and before COMMAND starts.
type beginLine struct {
	Event   string `json:"event"` // begin
	Bucket  string `json:"bucket"`
	Name    string `json:"name"`
	Run     string `json:"run"`
	Address string `json:"address"` // BUCKET:NAME:RUN
}

// committedLine comes after the commit. What a commit supersedes is removed
// by then.
type committedLine struct {
	Event   string  `json:"event"` // committed
	Address string  `json:"address"`
	Bytes   int64   `json:"bytes"`
	Chunks  int64   `json:"chunks"`
	Seconds float64 `json:"seconds"` // from before the run was named
}

// printer tells on stdout which run it is.
type printer struct {
	w       io.Writer
	json    bool
	early   bool // whoever is to say commit has to know before what it commits
	started time.Time
}

func (p *printer) begin(a archive.Address) error {
	if !p.early {
		return nil
	}
	if err := p.print(a, beginLine{"begin", a.Bucket, a.Name, string(a.Run), a.String()}); err != nil {
		return fmt.Errorf("print the address of the run: %w", err)
	}
	return nil
}

func (p *printer) committed(a archive.Address, m *archive.Manifest) error {
	if p.early && !p.json {
		return nil // printed at the start
	}
	seconds := time.Since(p.started).Round(time.Millisecond).Seconds()
	if err := p.print(a, committedLine{"committed", a.String(), m.Bytes, m.Chunks, seconds}); err != nil {
		return fmt.Errorf("the archive %s is committed, but its address cannot be printed: %w", a, err)
	}
	return nil
}

func (p *printer) print(a archive.Address, line any) error {
	if p.json {
		return cli.PrintJSON(p.w, []any{line})
	}
	return cli.Printf(p.w, "%v\n", a)
}
