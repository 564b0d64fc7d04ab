package tar

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/programs"
	"napback/napback/source"
)

// directory is a Directory as tar's command line sees it.
type directory struct {
	kit     programs.Kit
	program string
	source  string   // absolute, cleaned
	real    string   // the same without symbolic links
	read    string   // what tar reads: the source, or real if the source itself is a link
	member  string   // that as tar names it, relative to /
	options []string // from the configuration: what selects files
	told    []string // what tar is told of that, and of the name to store a link's directory under
}

// open prepares a Directory. It reads the files of ExcludeFrom.
func open(ctx context.Context, host source.Host, job source.Job) (source.Source, error) {
	info, err := os.Lstat(job.Source)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, source.Vanished()
	case err != nil:
		return nil, err
	case info.Mode()&os.ModeSymlink == 0 && !info.IsDir():
		return nil, errNoDirectory
	}
	program, err := host.Kit.GNUTar(ctx)
	if err != nil {
		return nil, err
	}
	s := &directory{kit: host.Kit, program: program, source: job.Source, read: job.Source}
	flags, patterns, err := selection(job)
	if err != nil {
		return nil, err
	}
	s.options = append(flags, excludeOptions(job.Source, patterns, job.DiffDir)...)
	s.told = s.options
	if info.Mode()&os.ModeSymlink != 0 {
		err = s.follow(flags, patterns, job.DiffDir)
	} else {
		s.real, err = filepath.EvalSymlinks(job.Source)
	}
	s.member = memberName(s.read)
	return s, err
}

var errNoDirectory = errors.New("the source is not a directory")

// selection returns options of tar and patterns to exclude, as a job's directives
// select files.
func selection(job source.Job) (options, patterns []string, err error) {
	set := job.Options
	if slices.Contains(set[tarOptions], "--wildcards") {
		return nil, nil, cli.WithHint(errors.New("TarOptions --wildcards makes tar leave out all directories"), "Exclude knows wildcards without it")
	}
	if set.On(oneFileSystem) {
		options = append(options, "--one-file-system")
	}
	options = append(options, set[tarOptions]...)
	patterns = set[exclude]
	for _, file := range set[excludeFrom] {
		more, err := readPatterns(file)
		if err != nil {
			return nil, nil, err
		}
		patterns = append(patterns[:len(patterns):len(patterns)], more...)
	}
	return slices.Clip(options), patterns, nil
}

// version is part of the hash: a change of create that changes what is stored
// begins a new chain.
const version = "1"

// Hash has the source as bytes, which need not be text.
func (s *directory) Hash() []any { return []any{version, name, []byte(s.source), s.options} }

// staysOnOne tells that tar does not store what is mounted in the source.
func (s *directory) staysOnOne() bool {
	const option = "--one-file-system" // or as much of it as no other option has
	return slices.ContainsFunc(s.options, func(o string) bool { return strings.HasPrefix(option, o) && len(o) >= len("--one-f") })
}

// stage is tar as the first stage of a chain.
func (s *directory) stage(snapshot string) chain.Stage {
	stage := s.kit.Stage("tar", s.program, create(snapshot, s.told, s.member))
	stage.Accept = readEnough
	return stage
}
