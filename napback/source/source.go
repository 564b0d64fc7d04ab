// Package source is the contract between napback and what it backs up. It says
// what a kind of source has to tell (Kind), and what one source does on its way
// to an archive and back.
//
//  1. The configuration finds the Kind by the name of a directive in the table
//     (package kinds), has it clean the argument, names the job's archives by it,
//     and keeps the options that it declares.
//  2. Open looks whether the source is there, and finds its programs.
//  3. Hash, WhyNotDiff, Unchanged and Empty help to decide what is to be stored.
//  4. Begin makes a Reading. Its stages are the first of the chain; it hears what
//     they say. When all have succeeded, Finish adds to the state what the next
//     increment needs; then only may the archive be committed. End cleans up.
//  5. A restore reads from the archive's manifest of which Kind it is. Those of a
//     Tree are for GNU tar; others are streams, written as they are or loaded by
//     the Kind's Loader.
//
// Each kind is one file, with all that is to know of it, and one line in the
// table. Nothing else of napback knows kinds by their names.
package source

import (
	"context"
	"time"

	"napback/napback/chain"
	"napback/napback/programs"
	"napback/napback/state"
)

// Job is what a configuration says of a source.
type Job struct {
	Kind    string // its name
	Source  string // the argument of the directive, as Kind.Clean has it
	Name    string // of its archives
	Options Options
	DiffDir string
}

// Host is what sources use of the machine.
type Host struct {
	Kit programs.Kit
	// Heard takes what programs say that are only asked for something.
	Heard func(stage, line string)
	// Note tells people something that is no warning.
	Note func(text string)
}

// Turn is one run of a job.
type Turn struct {
	State  *state.Job   // where it keeps files beside its record
	Base   *state.Point // what the DIFF builds on; nil: it is a FULL
	Before *state.Point // the last backup before this one, nil if there is none
	Now    func() time.Time
	Warn   func(text string) // tells people; the run then ends with warnings
	Warned func(text string) // counts as a warning that people have been told
}

// Source is what a job backs up. Its methods only look, but for Begin.
type Source interface {
	// Hash returns what all archives of a chain must have in common; a change
	// begins a new chain. What it returns is stored as JSON, hashed: the same
	// configuration has to give the same bytes in all versions.
	Hash() []any
	// WhyNotDiff returns what speaks against a DIFF on t.Base, or "".
	WhyNotDiff(t Turn) string
	// Unchanged tells that a DIFF on base would store nothing.
	Unchanged(base *state.Point) bool
	// Empty tells that there is nothing to back up.
	Empty() bool
	// Unpack is the shell command that takes the plain stream.
	Unpack() string
	// Explain adds to an error of the chain what people can do about it.
	Explain(err error) error
	// Plan returns the stages as Begin's Reading has them, and a shell command
	// that has to succeed before.
	Plan(t Turn) (before string, stages []chain.Stage, err error)
	// Begin begins a run.
	Begin(t Turn) (Reading, error)
}

// Noted is a Source that has more to say in the manifests of its archives.
type Noted interface {
	// Meta are fields of meta, as KEY=VALUE. The caller's own keys are taken.
	Meta() []string
}

// Reading is a source while the chain runs.
type Reading interface {
	// Stages are those that make the plain stream.
	Stages() []chain.Stage
	// Heard takes a line that a stage says, and tells whether it is for people.
	Heard(stage, line string) bool
	// Bytes is how much was read from the source, once the stages have ended.
	Bytes() int64
	// Finish is called when the stages have succeeded, before the commit. It
	// adds to the state what the next increment needs, and makes it durable. An
	// error tells that the archive must not be committed.
	Finish(p *state.Point, upstream []chain.Status) error
	// End removes what the run no longer needs.
	End()
}

// NeedsFull is an error of Finish: a DIFF of the source as it is now could not be
// restored exactly, but a FULL can.
type NeedsFull struct{ Why string }

func (e *NeedsFull) Error() string { return e.Why }

// Again is an error of Finish: the source has changed in a way that the archive
// could not be restored exactly. The next attempt may be lucky.
type Again struct {
	Why string
	// Always and Hint say what to tell people if no attempt is.
	Always, Hint string
}

func (e *Again) Error() string { return e.Why }

// Load is what is to be loaded, and where.
type Load struct {
	Job
	As      string   // another name than the source's, as Kind.LoadsAs has it; "": none
	Connect []string // in place of the option Kind.Connects; nil: as the job has it
	Signed  bool     // only archives are loaded that somebody has signed who is trusted
}

// Loader puts the streams of archives back to where their source is, or was.
// Target, Stages, Prepare, Look and Judge are called in this order; then the stages run.
type Loader interface {
	// Where says in messages where that is, as in "into the server".
	Where() string
	// Target asks where exactly it is, to tell people before anything is written, as in
	// "into the database shop of MariaDB at ...".
	Target(ctx context.Context) (string, error)
	// Prepare makes the place, or fails if loading would replace something.
	Prepare(ctx context.Context) error
	// Look are stages that read each archive before any is loaded. nil: nothing has to
	// be known of them. Judge gets what they have printed, and refuses to go on.
	Look() ([]chain.Stage, error)
	Judge(ctx context.Context, printed []byte) error
	// Before are the commands by which a person makes the place.
	Before() ([]chain.Stage, error)
	// Stages load one archive from their stdin.
	Stages(ctx context.Context) ([]chain.Stage, error)
	// Explain adds to an error of the chain what people can do about it.
	Explain(err error) error
	// Undo tells, after a failure, how to remove what has been loaded; "" if nothing
	// has. The context may have ended.
	Undo(ctx context.Context) string
}

// Unseen is embedded by a Loader that has to know nothing of archives before it loads
// them.
type Unseen struct{}

// Look is Loader.Look.
func (Unseen) Look() ([]chain.Stage, error) { return nil, nil }

// Judge is Loader.Judge.
func (Unseen) Judge(context.Context, []byte) error { return nil }
