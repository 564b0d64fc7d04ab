package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/state"
	"napback/napback/tools"
)

// unpackCommand restores the plain stream of a Directory with standard tools,
// below the current directory.
const unpackCommand = "tar --extract --file=- --listed-incremental=/dev/null --numeric-owner --same-permissions --xattrs --xattrs-include='*' --acls"

// tarSource is a Directory as tar's command line sees it.
type tarSource struct {
	program string
	source  string   // absolute, cleaned
	real    string   // the same without symbolic links
	member  string   // the source as tar stores it, relative to /
	options []string // from the configuration: what selects files
}

// newTarSource prepares a Directory job. It reads the files of ExcludeFrom.
func newTarSource(program string, job *config.Job) (*tarSource, error) {
	real, err := filepath.EvalSymlinks(job.Source)
	if err != nil {
		return nil, err
	}
	s := &tarSource{program: program, source: job.Source, real: real, member: memberName(job.Source)}
	set := &job.Settings
	if slices.Contains(set.TarOptions, "--wildcards") {
		return nil, cli.WithHint(errors.New("TarOptions --wildcards makes tar leave out all directories"), "Exclude knows wildcards without it")
	}
	if set.OneFileSystem {
		s.options = append(s.options, "--one-file-system")
	}
	s.options = append(s.options, set.TarOptions...)
	patterns := set.Exclude
	for _, file := range set.ExcludeFrom {
		more, err := readPatterns(file)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns[:len(patterns):len(patterns)], more...)
	}
	s.options = append(s.options, excludeOptions(s.source, patterns, set.DiffDir)...)
	return s, nil
}

// memberName is the name that tar stores an absolute path under.
func memberName(path string) string {
	if name := strings.TrimLeft(path, "/"); name != "" {
		return name
	}
	return "."
}

// maxPatterns bounds an ExcludeFrom file, in bytes.
const maxPatterns = 1 << 20

// readPatterns reads patterns, one a line. Blank lines do not count; there are
// no comments, since a name may begin with #.
func readPatterns(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("ExcludeFrom: %w", err)
	}
	defer f.Close()
	data, err := tools.ReadAll(f, maxPatterns)
	if err != nil {
		return nil, fmt.Errorf("ExcludeFrom %q: %w", file, err)
	}
	var patterns []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
			patterns = append(patterns, line)
		}
	}
	return patterns, nil
}

// excludeOptions writes patterns as tar takes them. One that begins with / is
// compared with whole paths, others with any component; * does not match /.
// What napback itself keeps in a DiffDir inside the source changes while tar
// runs, and is of no use on another machine, so it is left out.
func excludeOptions(source string, patterns []string, diffDir string) []string {
	var anchored, floating []string
	for _, p := range patterns {
		trimmed := strings.TrimRight(p, "/")
		switch {
		case trimmed == "":
		case strings.HasPrefix(p, "/"):
			anchored = append(anchored, "--exclude="+memberPattern(source, trimmed))
		default:
			floating = append(floating, "--exclude="+trimmed)
		}
	}
	if inside(diffDir, source) {
		for _, p := range state.Patterns() {
			anchored = append(anchored, "--exclude="+memberPattern(source, filepath.Join(escapePattern(diffDir), p)))
		}
	}
	var all []string
	if len(anchored)+len(floating) > 0 {
		// Patterns have wildcards by default. To say --wildcards would be
		// fatal: tar then leaves out all directories.
		all = append(all, "--no-wildcards-match-slash")
	}
	if len(anchored) > 0 {
		all = append(append(all, "--anchored"), anchored...)
	}
	if len(floating) > 0 {
		all = append(append(all, "--no-anchored"), floating...)
	}
	return all
}

// memberPattern makes a pattern of paths one of members: those of / are ./NAME.
func memberPattern(source, pattern string) string {
	pattern = strings.TrimLeft(pattern, "/")
	if source == "/" {
		return "./" + pattern
	}
	return pattern
}

// inside tells whether path is dir or below it.
func inside(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

func escapePattern(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// tarVersion is part of the hash: a change of the options below that changes
// what is stored begins a new chain.
const tarVersion = "1"

func (s *tarSource) hash(job *config.Job) string {
	return hashOf(job, tarVersion, string(job.Kind), []byte(s.source), s.options)
}

// oneFileSystem tells that tar does not store what is mounted in the source.
func (s *tarSource) oneFileSystem() bool {
	const option = "--one-file-system" // or as much of it as no other option has
	return slices.ContainsFunc(s.options, func(o string) bool { return strings.HasPrefix(option, o) && len(o) >= len("--one-f") })
}

// args is tar's command line. snapshot is the file that tar works on.
func (s *tarSource) args(snapshot string) []string {
	args := []string{
		"--create", "--file=-", "--format=posix", "--pax-option=delete=atime,delete=ctime",
		"--listed-incremental=" + snapshot, "--no-check-device", "--sparse", "--xattrs", "--acls",
		"--no-unquote", "--quoting-style=escape", "--totals", "--warning=rename-directory",
	}
	args = append(args, s.options...)
	return append(args, "-C", "/", "--", s.member)
}

// stage is tar as the first stage of a chain.
func (s *tarSource) stage(t tools.Kit, snapshot string) chain.Stage {
	stage := t.Stage("tar", s.program, s.args(snapshot))
	stage.Accept = tarDone
	return stage
}
