package config

import (
	"fmt"
	"time"

	"napback/internal/compress"
	"napback/internal/slot"
	"napback/napback/notify"
	"napback/napback/source"
)

// Env is what a configuration depends on besides its text.
type Env struct {
	Host  string        // stands for %h in Prefix
	Kinds []source.Kind // of sources; nil: those of the table
}

// Config is a configuration file with all that it includes.
type Config struct {
	Path     string   // as given to Load
	Settings Settings // of the top level; its Schedule is nil
	Jobs     []Job    // in the order of the file
	Notes    []string // worth saying once per run
}

// Job is a source and the settings that hold for it.
type Job struct {
	Kind source.Kind
	// Source is what the file says, in its one form: see source.Kind.
	Source string
	// Name is the job's archive name without -SLOT-TYPE. No two jobs of a
	// Config share one. That of a directory of sources belongs to no archive:
	// see Member.
	Name     string
	Short    string // Name without the Prefix
	Cycle    string // name of the Cycle that the job stands in, or ""
	Settings Settings
	File     string // where the job is configured
	Line     int
	// Config is the absolute path of the configuration that has the job, ""
	// where it is no file of its own, such as a pipe.
	Config string
}

// String names the source as messages and manifests do: Directory /home/build.
func (j Job) String() string { return j.Kind.Name + " " + j.Source }

// OfSource is what the job's kind is told of it.
func (j *Job) OfSource() source.Job {
	return source.Job{Kind: j.Kind.Name, Source: j.Source, Name: j.Name, Options: j.Settings.Options, DiffDir: j.Settings.DiffDir}
}

// Member returns the job of one source below a directory of sources, named by its
// path relative to dir's Source. It returns false if the member has a job of its
// own, which is the one to run.
func (c *Config) Member(dir Job, relative string) (Job, bool) {
	job := dir
	job.Kind = dir.Kind.Members.Of
	job.Source = dir.Source + "/" + relative
	job.Name, job.Short = dir.Name+"/"+relative, dir.Short+"/"+relative
	for _, other := range c.Jobs {
		if other.Kind.Name == job.Kind.Name && other.Source == job.Source {
			return Job{}, false
		}
	}
	return job, true
}

// CycleType is the kind of schedule.
type CycleType string

// The kinds of schedules.
const (
	SimpleCycle CycleType = "SimpleCycle"
	HanoiCycle  CycleType = "HanoiCycle"
)

// Settings are the values that hold in a scope. Unless said otherwise, the
// zero value means that nothing was set and the tool's own default holds.
type Settings struct {
	Bucket  string
	DiffDir string

	TempDir     string
	UseTempFile bool

	// Told is what the tools that talk to the store are told: see Flags.
	Told      Told
	NeverDie  bool          // true unless told otherwise
	RetryWait time.Duration // 30 minutes unless told otherwise
	// AcceptUnsigned is no directive: a command sets it for what it restores.
	AcceptUnsigned bool

	GpgRecipients []string // none: no encryption
	GpgKeyring    string
	Compression   string // one of compress.Names; compress.Auto unless told otherwise
	Prefix        string // as written, with %h

	CycleType         CycleType // SimpleCycle unless told otherwise
	Frequency         int
	Phase             int
	FullOn            *time.Weekday // nil: Phase tells
	Diffs             *int          // nil: see slot.Given
	Fulls             *int          // nil: see slot.Given
	Discs             int
	ArchiveOldestDisc bool
	// Schedule is what the cycle's values make, checked. It is set for
	// jobs; for kinds that have no DIFF it has none.
	Schedule slot.Schedule

	// Options are what the kinds of sources declare.
	Options source.Options

	Timeout      time.Duration // 0: none
	Nice         int
	RunBefore    []string // program and arguments
	RunAfter     []string
	RunOnFailure []string
	RunFinished  []string

	LogLevel      string // debug, info (the default), warn or error
	LogFile       string
	MetricsFile   string
	LogFormat     string // text (the default) or json
	LogMaxSize    int64  // bytes
	LogMaxBackups int
	Syslog        bool

	// Notify are the values of the directives that channels have.
	Notify notify.Settings
}

// defaults are the settings before the first directive.
func defaults() Settings {
	simple, hanoi := slot.DefaultSimple(), slot.DefaultHanoi()
	return Settings{
		NeverDie:    true,
		RetryWait:   30 * time.Minute,
		Compression: compress.Auto,
		CycleType:   SimpleCycle,
		Frequency:   simple.Frequency,
		Phase:       simple.Phase,
		Discs:       hanoi.Discs,
		LogLevel:    "info",
		LogFormat:   "text",
	}
}

// schedule makes the schedule of a job of the given kind, checked. A SimpleCycle is
// checked with its DIFFs also where the kind has none.
func (s *Settings) schedule(kind source.Kind) (slot.Schedule, error) {
	if s.CycleType == HanoiCycle {
		hanoi := slot.Hanoi{Frequency: s.Frequency, Discs: s.Discs, ArchiveOldest: s.ArchiveOldestDisc}
		return hanoi, hanoi.Validate()
	}
	simple, err := s.given().Simple()
	if !kind.Diffs {
		simple = simple.WithoutDiffs()
	}
	return simple, err
}

// given is what is said of a SimpleCycle.
func (s *Settings) given() slot.Given {
	return slot.Given{Frequency: s.Frequency, Phase: s.Phase, FullOn: s.FullOn, Diffs: s.Diffs, Fulls: s.Fulls}
}

// Load reads a configuration. Its error joins everything that is wrong, each
// as FILE:LINE: reason, and has the code cli.Usage.
func Load(path string, env Env) (*Config, error) {
	return load(path, env, system{})
}

// position is a place in a file.
type position struct {
	file  string
	line  int
	order int // of the file among those read
}

func (p position) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }
