// Package tools is a typed client of the programs that are napback's siblings: s3put,
// s3get, s3ls, s3rm and pgpipe. It alone knows what they are told, what they print and
// how they exit. Nothing matches their prose.
package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/programs"
)

// ErrDenied tells that the store denies access to what was asked for.
var ErrDenied = errors.New("the credentials do not allow it")

// Store is a client of a store: of s3put, s3get, s3ls and s3rm as a job's settings
// tell them to work.
type Store struct {
	kit programs.Kit
	set *config.Settings
	log func(stage, line string)
	// progress is how Put, Get and Verify show theirs.
	progress string
}

// Open returns the client of a job's store. log gets what the tools say on stderr.
func Open(k programs.Kit, set *config.Settings, log func(stage, line string)) Store {
	return Store{k, set, log, "never"}
}

// Access are the flags that all S3 tools share, and the bucket: what two jobs have
// in common whose stores are one.
func (s Store) Access() string {
	return fmt.Sprintf("%q", append(s.set.Flags(config.List), s.set.Bucket))
}

// List lists the runs of the archives whose names begin with prefix, and tells the
// store's clock. A listing that was denied or cut short is an error (ErrDenied,
// catalog.ErrTooMuch), but the clock may be told with it.
func (s Store) List(ctx context.Context, prefix string) (catalog.Listing, error) {
	log := s.log
	s.log = func(stage, line string) {
		if !isReason(stage, line) { // which the error tells
			log(stage, line)
		}
	}
	return s.list(ctx, "--json", "-r", "--clock", s.set.Bucket+":"+prefix)
}

func (s Store) list(ctx context.Context, args ...string) (l catalog.Listing, err error) {
	stage, err := s.stage("s3ls", append(s.set.Flags(config.List), args...))
	if err != nil {
		return l, err
	}
	_, err = s.kit.Reading(ctx, stage, s.log, func(r io.Reader) (err error) {
		l, err = catalog.Read(r)
		return err
	})
	return l, denied(Explain(ctx, err))
}

// isReason tells an error that a tool prints, and the hints below it.
func isReason(stage, line string) bool {
	return strings.HasPrefix(line, stage+": error: ") || strings.HasPrefix(line, stage+": hint: ")
}

// denied marks the error of a tool that was denied access.
func denied(err error) error {
	if exitedWith(err, cli.Denied) {
		return deniedError{err}
	}
	return err
}

// deniedError is an ErrDenied that says what the tool has said.
type deniedError struct{ error }

func (e deniedError) Unwrap() []error { return []error{e.error, ErrDenied} }

// exitedWith tells whether err is that of a tool that ended with one of these
// statuses.
func exitedWith(err error, codes ...int) bool {
	var failed *chain.Error
	return errors.As(err, &failed) && failed.Cause.Signal == "" && slices.Contains(codes, failed.Cause.Code)
}

// Contents lists what the bucket holds of a job. An error means that the bucket did
// not answer.
func (s Store) Contents(ctx context.Context, job string) (*catalog.Contents, error) {
	l, err := s.List(ctx, job+"-")
	switch {
	case errors.Is(err, ErrDenied):
		return &catalog.Contents{ListDenied: true, Time: l.Time}, nil
	case errors.Is(err, catalog.ErrTooMuch), exitedWith(err, cli.Integrity):
		// Whoever has planted all that must not keep us from storing a backup.
		s.log("s3ls", "somebody has planted more archives than are listed: the backup goes by its own state, and nothing is removed")
		return &catalog.Contents{ListDenied: true, Time: l.Time}, nil
	case exitedWith(err, cli.NotFound):
		return nil, cli.WithHint(err, "s3put --create-bucket creates one")
	case err != nil:
		return nil, About(s.set.Bucket, err)
	}
	c := catalog.ContentsOf(l, job)
	if n := c.Unsigned(); n > 0 {
		s.log("s3ls", fmt.Sprintf("runs that are not signed by a wanted key, and do not count: %d", n))
	}
	return c, nil
}

// maxRuns bounds how many runs one call counts or removes, so that their names fit
// on a command line.
const maxRuns = 200

// Count counts the objects of runs, those that are not counted yet, by listing. It
// tells whether it has counted any.
func (s Store) Count(ctx context.Context, c *catalog.Contents, runs []catalog.Entry) (bool, error) {
	if c.Counted == nil {
		c.Counted = map[string]string{}
	}
	var addresses []string
	for _, r := range runs {
		if _, known := c.Counted[r.Address()]; !known && !slices.Contains(addresses, r.Address()) {
			addresses = append(addresses, r.Address())
		}
	}
	for some := range slices.Chunk(addresses, maxRuns) {
		if err := s.countSome(ctx, c, some); err != nil {
			return true, err
		}
	}
	return len(addresses) > 0, nil
}

func (s Store) countSome(ctx context.Context, c *catalog.Contents, addresses []string) error {
	l, err := s.list(ctx, append([]string{"--json", "--whole"}, addresses...)...)
	if err != nil && !exitedWith(err, cli.Integrity, cli.NotFound) { // then its lines tell which
		return fmt.Errorf("count the objects of archives in bucket %q: %w", s.set.Bucket, err)
	}
	for _, address := range addresses {
		c.Counted[address] = "it is not there"
	}
	for _, r := range l.Entries {
		switch why := r.Error; {
		case r.Whole != nil && *r.Whole:
			c.Counted[r.Address()] = ""
		case why != "":
			c.Counted[r.Address()] = cli.FirstLine(why)
		default:
			c.Counted[r.Address()] = "objects are missing"
		}
	}
	return nil
}

// Remove removes exactly these runs, NAME:RUN each, in this order. It goes on after
// an error; ErrDenied tells that all that failed was denied.
func (s Store) Remove(ctx context.Context, runs []string) error {
	var errs []error
	for some := range slices.Chunk(runs, maxRuns) {
		args := append(s.set.Flags(config.List), "-y")
		for _, r := range some {
			args = append(args, s.set.Bucket+":"+r)
		}
		stage, err := s.stage("s3rm", args)
		if err != nil {
			return err
		}
		_, _, err = s.kit.Output(ctx, stage, s.log)
		errs = append(errs, denied(Explain(ctx, err)))
	}
	return errors.Join(errs...)
}

// Get is the stage that reads an archive. Every chunk is verified before it is
// written.
func (s Store) Get(a catalog.Entry) (chain.Stage, error) { return s.get(a) }

// Verify is the stage that checks all of an archive and writes nothing.
func (s Store) Verify(a catalog.Entry) (chain.Stage, error) { return s.get(a, "--verify") }

func (s Store) get(a catalog.Entry, more ...string) (chain.Stage, error) {
	args := append(s.set.Flags(config.Get), "--progress", s.progress)
	return s.stage("s3get", append(append(args, more...), a.Address()))
}

// Upload is what s3put gets to know of one archive.
type Upload struct {
	Name   string // of the archive
	Owner  string // "" = none yet
	Parent string // the run that it builds on, "" = none
	Meta   []string
	// ByHand is for a person, who gives no commit. What is stored by hand is not in
	// the state: under the owner's id it would look as if another machine had stored it.
	ByHand bool
}

// Put is the sink that stores an archive (chain.Chain.Commit), or as a person can
// run it.
func (s Store) Put(u Upload) (chain.Stage, error) {
	args := s.set.Flags(config.Put)
	if s.set.NeverDie {
		args = append(args, "-n", "--retry-wait", s.set.RetryWait.String())
	}
	if !u.ByHand {
		args = append(args, "--json")
	}
	args = append(args, "-v", "--progress", s.progress, "--keep")
	if !u.ByHand {
		args = append(args, given("--owner", u.Owner)...)
	}
	args = append(args, given("--parent", u.Parent)...)
	for _, kv := range u.Meta {
		args = append(args, "-m", kv)
	}
	if !u.ByHand {
		args = append(args, "--commit-fd", fmt.Sprint(chain.CommitFD))
	}
	return s.stage("s3put", append(args, s.set.Bucket+":"+u.Name))
}

// given is a flag with its value, or nothing if there is none.
func given(flag, value string) []string {
	if value == "" {
		return nil
	}
	return []string{flag, value}
}

// stage makes a stage of a tool that talks to the store.
func (s Store) stage(name string, args []string) (chain.Stage, error) {
	return s.kit.Tool(name, args, chain.Store()...)
}

// Begun reads the first line that Put prints: the run that it is going to store. Of
// another archive it is an error.
func (s Store) Begun(line, name string) (run string, err error) {
	var begin struct{ Event, Bucket, Name, Run string }
	if err := json.Unmarshal([]byte(line), &begin); err != nil || begin.Event != "begin" {
		return "", fmt.Errorf("read what s3put says: %q", line)
	}
	if begin.Bucket != s.set.Bucket || begin.Name != name || begin.Run == "" {
		return "", fmt.Errorf("s3put stores %s:%s:%s instead of %s:%s", begin.Bucket, begin.Name, begin.Run, s.set.Bucket, name)
	}
	return begin.Run, nil
}

// Stored is how much an archive takes in the store.
type Stored struct{ Bytes, Chunks int64 }

func (s Stored) String() string {
	return fmt.Sprintf("%s in %s", cli.FormatSize(s.Bytes), cli.Plural(s.Chunks, "chunk", "chunks"))
}

// Committed reads a line that Put prints later. ok tells that it is the one that
// says how much was stored.
func Committed(line string) (stored Stored, ok bool) {
	var committed struct {
		Event string
		Stored
	}
	err := json.Unmarshal([]byte(line), &committed)
	return committed.Stored, err == nil && committed.Event == "committed"
}
