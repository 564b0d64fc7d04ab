package store

import (
	"os"
	"runtime/debug"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
)

// Transfer are the flags of the tools that move the chunks of an archive. Tools
// embed the struct in their own options.
type Transfer struct {
	NeverDie  bool          `short:"n" aliases:"neverdie" help:"When all attempts at a request have failed, wait and go on with it, for ever. (No dry run.)"`
	Attempts  int           `default:"5" placeholder:"N" help:"Tries of a request before it counts as failed (default: 5)."`
	RetryWait time.Duration `default:"30m" placeholder:"TIME" help:"How long --never-die waits (default: 30m)."`

	Concurrency int      `short:"c" default:"8" placeholder:"N" help:"Chunks on their way at the same time (default: 8)."`
	Memory      cli.Size `default:"256MiB" placeholder:"SIZE" help:"Memory for chunks; concurrency adapts to it (default: 256MiB)."`
	Spool       string   `placeholder:"DIR" help:"Hold chunks in files in DIR instead of memory."`

	Progress string `enum:"auto,always,never,json" default:"auto" placeholder:"WHEN" help:"Show progress on stderr: auto, always, never, or json for programs (default: auto)."`
}

// Check refuses what cannot be meant, with errors of the code cli.Usage.
func (t Transfer) Check() error {
	switch {
	case t.Attempts < 1:
		return cli.UsageErrorf("--attempts must be at least 1")
	case t.RetryWait < 0:
		return cli.UsageErrorf("--retry-wait cannot be negative")
	case t.Concurrency < 1:
		return cli.UsageErrorf("--concurrency must be at least 1")
	}
	if info, err := os.Stat(t.Spool); t.Spool != "" && (err != nil || !info.IsDir()) {
		return cli.UsageErrorf("--spool %q: no such directory", t.Spool)
	}
	return nil
}

// Budget is what the chunks may take.
func (t Transfer) Budget() archive.Budget {
	return archive.Budget{Concurrency: t.Concurrency, Memory: int64(t.Memory), Spool: t.Spool}
}

// heapBeside is what the process may use beside the chunks before the
// garbage collector works harder, in bytes.
const heapBeside = 32 << 20

// LimitMemory makes the garbage collector heed the memory for chunks.
func (t Transfer) LimitMemory() { debug.SetMemoryLimit(int64(t.Memory) + heapBeside) }
