package source

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"napback/internal/cli"
)

// Kind is an entry of the table: all that tells one kind of source from another.
// What is nil or empty has the meaning that its comment says.
type Kind struct {
	// Name is that of the directive. In manifests it stands before the source.
	Name string
	// Diffs tells that there are increments; else each backup is a FULL.
	Diffs bool
	// Tree tells that archives are those of GNU tar, of a directory. They are
	// restored below another one, or in place, as a whole or by paths. Others are
	// streams.
	Tree bool
	// Program names the option, of the Form Program, that each source needs: what
	// makes the stream. On a line it follows the argument; in a block it has a line of
	// its own. "": none is needed.
	Program string
	// Options are the directives for sources of this kind. Other kinds may have the
	// same one.
	Options []Option
	// Clean checks the argument of the directive and writes it in its one form.
	Clean func(argument string) (string, error)
	// Base is the name that archives of a source have by themselves. nil: the
	// kind's, a slash, and the source without its leading one.
	Base func(source string) string
	// Check finds what does not fit together in a job. nil: all does.
	Check func(Job) error
	// Same tells whether two sources are one, as seen in different ways. nil: they
	// are if they are equal.
	Same func(a, b string) bool
	// Open prepares a source. One that is not there, or is not what its kind says,
	// is an error.
	Open func(context.Context, Host, Job) (Source, error)
	// Probe looks, for a check, at what Open has found: what is doubtful, and what
	// is wrong. nil: nothing more can be.
	Probe func(Job) (doubt string, err error)
	// Load returns what loads archives of this kind. nil: nothing does.
	Load func(Host, Load) (Loader, error)
	// Whole reads the stream of an archive to its end and says what it holds, or
	// why it is not a whole backup. nil: only who made it can tell. (That of a Tree
	// is not asked for: the guard and the format of tar tell.)
	Whole func(stream io.Reader, a Archived) (holds string, err error)
	// LoadsAs checks another name for what is loaded, and writes it in its one form.
	// nil: it can have no other.
	LoadsAs func(name string) (string, error)
	// LoadsTo tells that such a name is all of a place, as a path is.
	LoadsTo bool
	// Connects names the option, of the Form Arguments, that tells where the server is,
	// in whose place a restore can be given others. "": there is no server.
	Connects string
	// Try makes a throw-away place to load archives into. nil: they can only be read.
	Try func(context.Context, Host, Trying) (Trial, error)
	// Members is for a directory of sources, each of which is a job of its own.
	// nil: it is one source.
	Members *Members
}

// String is the kind's name.
func (k Kind) String() string { return k.Name }

// ArchiveName is the name that archives of a source have by themselves.
func (k Kind) ArchiveName(source string) string {
	if k.Base != nil {
		return k.Base(source)
	}
	return k.Name + "/" + strings.TrimPrefix(source, "/")
}

// IsSame tells whether a manifest's source, of a kind, is that of a job of kind k:
// itself or one of its members.
func (k Kind) IsSame(source, kind, other string) bool {
	switch {
	case k.Members != nil && kind == k.Members.Of.Name:
		return IsCleanPath(other) && strings.HasPrefix(other, strings.TrimSuffix(source, "/")+"/")
	case kind != k.Name:
		return false
	case k.Same != nil:
		return k.Same(source, other)
	}
	return source == other
}

// Members tells of the sources below a directory.
type Members struct {
	Of   Kind   // theirs
	What string // what messages call one
	// Find returns their paths relative to the directory, and warnings of what
	// it could not look into. That there are none is an error.
	Find func(dir string) (relative, warnings []string, err error)
	// Is tells whether one is at a path.
	Is func(path string) bool
}

// CleanPath is Kind.Clean for directories: it wants an absolute path.
func CleanPath(argument string) (string, error) {
	if !strings.HasPrefix(argument, "/") {
		return "", errors.New("want an absolute path")
	}
	if slices.Contains(strings.Split(argument, "/"), "..") {
		return "", errors.New(`want a path without the component ".."`)
	}
	return path.Clean(argument), nil
}

// IsCleanPath reports whether a path is absolute and written in the one way.
func IsCleanPath(name string) bool { return path.IsAbs(name) && path.Clean(name) == name }

// Vanished is the error of a source that is a directory and is not there.
func Vanished() error {
	return cli.WithHint(errors.New("the source has vanished: no such directory"), "was its disk not mounted?")
}
