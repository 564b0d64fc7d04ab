package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/store"
)

// The lines that s3ls prints, with --json as objects of these fields. New
// fields may come; the ones that are here stay.

type bucketLine struct {
	Bucket  string     `json:"bucket"`
	Created *time.Time `json:"created,omitempty"`
}

// clockLine is the time by the store's clock; null if the service does not
// tell it.
type clockLine struct {
	StoreTime *time.Time `json:"store_time"`
}

// runLine is a run: its state and what its manifest says. The fields from
// Host on are absent when the manifest does not exist or cannot be read.
type runLine struct {
	Bucket     string            `json:"bucket"`
	Name       string            `json:"name"`
	Run        string            `json:"run"`
	State      archive.State     `json:"state"`
	Error      string            `json:"error,omitempty"` // why the manifest cannot be read or trusted, the time cannot be true, or it is not whole
	Created    *time.Time        `json:"created,omitempty"`
	Committed  *time.Time        `json:"committed,omitempty"`
	Host       string            `json:"host,omitempty"`
	Tool       string            `json:"tool,omitempty"`
	Bytes      *int64            `json:"bytes,omitempty"`
	ChunkBytes *int64            `json:"chunk_bytes,omitempty"`
	Chunks     *int64            `json:"chunks,omitempty"`
	Sums       string            `json:"sums,omitempty"`
	Tag        string            `json:"tag,omitempty"`
	Parent     string            `json:"parent,omitempty"`
	Owner      string            `json:"owner,omitempty"`
	Meta       map[string]string `json:"meta,omitempty"`
	Recover    string            `json:"recover,omitempty"`  // made here, never copied from the bucket
	Signed     string            `json:"signed,omitempty"`   // with --verify-key: the key that has signed it
	Denied     bool              `json:"denied,omitempty"`   // there is a manifest that the credentials may not read
	Modified   *time.Time        `json:"modified,omitempty"` // when the manifest was stored, by the store's clock
	Whole      *bool             `json:"whole,omitempty"`    // with --whole
}

type chunkLine struct {
	Bucket  string `json:"bucket"`
	Name    string `json:"name"`
	Run     string `json:"run"`
	Key     string `json:"key"`
	Chunk   int64  `json:"chunk"`
	Last    *int64 `json:"last,omitempty"` // of a gap of several chunks
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256,omitempty"`
	Missing bool   `json:"missing,omitempty"`
	Foreign bool   `json:"foreign,omitempty"`
}

// js3treamName is an archive of js3tream of which only the name was asked for.
type js3treamName struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	State  string `json:"state"` // js3tream
}

// objectLine is something that s3put did not store: one object, or all the
// chunks of a js3tream archive.
type objectLine struct {
	Bucket   string     `json:"bucket"`
	Key      string     `json:"key"`             // empty for js3tream's archive without a name
	State    string     `json:"state"`           // js3tream, damaged or other
	Error    string     `json:"error,omitempty"` // what is damaged
	Modified *time.Time `json:"modified,omitempty"`
	Bytes    int64      `json:"bytes"`
	Chunks   int64      `json:"chunks,omitempty"`
}

func newRunLine(service store.Service, bucket string, info archive.RunInfo) runLine {
	line := runLine{
		Bucket: bucket, Name: info.Name, Run: string(info.Run), State: info.State, Denied: info.Denied, Signed: info.SignedBy,
		Created: timePointer(info.Run.Time()), Modified: timePointer(info.Modified),
	}
	if info.Err != nil {
		line.Error = info.Err.Error()
	}
	if m := info.Manifest; m != nil {
		line.Created, line.Committed = timePointer(m.Created), timePointer(m.Committed)
		line.Host, line.Tool, line.Sums, line.Tag = m.Host, m.Tool, m.Sums, m.Tag
		line.Bytes, line.ChunkBytes, line.Chunks = &m.Bytes, &m.ChunkBytes, &m.Chunks
		line.Parent, line.Owner, line.Meta = string(m.Parent), m.Owner, m.Meta
		line.Recover = archive.RecoverCommand(service.RecoverCommand(bucket, archive.RecoverPrefix(m.Name, m.Run)), m)
	}
	return line
}

func newChunkLine(bucket string, info archive.RunInfo, chunk archive.ChunkInfo) chunkLine {
	line := chunkLine{
		Bucket: bucket, Name: info.Name, Run: string(info.Run), Key: chunk.Key,
		Chunk: chunk.Number, Bytes: chunk.Size, SHA256: chunk.SHA256, Missing: chunk.Missing, Foreign: chunk.Foreign,
	}
	if chunk.Last > chunk.Number {
		line.Last = &chunk.Last
	}
	return line
}

// printer writes lines as a table for people or as JSON for programs.
type printer struct {
	w    *bufio.Writer
	json bool
	runs bool // people want to see the runs
}

func newPrinter(w io.Writer, asJSON, runs bool) *printer {
	return &printer{w: bufio.NewWriter(w), json: asJSON, runs: runs}
}

// flush writes out what is buffered. It reports also earlier errors.
func (p *printer) flush() error {
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("write the list: %w", err)
	}
	return nil
}

func (p *printer) line(object any, format string, args ...any) error {
	if p.json {
		return cli.PrintJSON(p.w, []any{object})
	}
	return cli.Printf(p.w, "%s\n", cli.Safe(fmt.Sprintf(format, args...)))
}

func (p *printer) clock(c clockLine) error {
	return p.line(c, "%s  the store's clock", localTime(c.StoreTime))
}

func (p *printer) bucket(b bucketLine) error {
	return p.line(b, "%s  %s", localTime(b.Created), cli.Safe(b.Bucket))
}

// run prints: time, bytes, chunks, state, name, with its run if asked for,
// tag.
func (p *printer) run(r runLine) error {
	bytes, chunks := "-", "-"
	when := r.Created
	if r.Bytes != nil {
		bytes, chunks = cli.FormatSize(*r.Bytes), fmt.Sprint(*r.Chunks)
		when = r.Committed
	}
	text := fmt.Sprintf("%s  %9s  %6s  %-10s  %s", localTime(when), bytes, chunks, r.State, cli.Safe(r.Name))
	if p.runs {
		text += ":" + r.Run
	}
	if r.Tag != "" {
		text += "  " + r.Tag
	}
	if r.State == archive.Suspect || r.State == archive.Unsigned || r.Whole != nil && !*r.Whole {
		text += "  (" + r.Error + ")"
	}
	return p.line(r, "%s", text)
}

func (p *printer) chunk(c chunkLine) error {
	number, sum := fmt.Sprint(c.Chunk), c.SHA256
	switch {
	case c.Last != nil:
		number, sum = fmt.Sprintf("%d-%d", c.Chunk, *c.Last), "MISSING"
	case c.Missing:
		sum = "MISSING " + sum
	case c.Foreign:
		number, sum = "-", "FOREIGN "+cli.Safe(c.Key)
	}
	return p.line(c, "    %13s  %9s  %s", number, cli.FormatSize(c.Bytes), sum)
}

func (p *printer) object(o objectLine) error {
	chunks := "-"
	if o.Chunks > 0 {
		chunks = fmt.Sprint(o.Chunks)
	}
	text := cmp.Or(o.Key, "(no name)")
	if o.Error != "" {
		text += "  (" + o.Error + ")"
	}
	return p.line(o, "%s  %9s  %6s  %-10s  %s", localTime(o.Modified), cli.FormatSize(o.Bytes), chunks, o.State, text)
}

// localTime writes a time in the local zone, to the second.
func localTime(t *time.Time) string {
	if t == nil {
		return strings.Repeat("-", len(time.DateTime))
	}
	return t.Local().Format(time.DateTime)
}
