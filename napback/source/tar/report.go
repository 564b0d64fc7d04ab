package tar

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"napback/napback/chain"
)

// lastWords is what tar says at the end when it could not read some files, but
// has written a whole archive of the others.
const lastWords = "Exiting with failure status due to previous errors"

// readEnough tells whether tar has written a whole archive although its exit
// status is not 0: 1 means that files changed while it read them, 2 with these
// last words that some could not be read.
func readEnough(s chain.Status) bool {
	return s.Signal == "" && (s.Code == 1 || s.Code == 2 && s.LastLine() == lastWords)
}

// report collects what tar says on stderr.
type report struct {
	unread   []string // names that it could not read, as it escapes them
	unnamed  bool     // some could not be read whose names are not known
	broken   string   // what else tar could not do, such as write its snapshot
	moved    string   // a directory that was renamed under tar's eyes
	warnings []string
	bytes    int64 // of the archive that it wrote
}

const (
	maxUnread   = 100_000 // names that are remembered
	maxWarnings = 1000
)

var (
	// A name ends at the first colon that is not escaped.
	unreadLine = regexp.MustCompile(`^((?:[^\\:]|\\.)*): (?:Cannot (?:open|stat|fstat|read|readlink|opendir|savedir): |Read error )`)
	otherLine  = regexp.MustCompile(`: Cannot `)
	totalsLine = regexp.MustCompile(`^Total bytes written: ([0-9]+)`)
	ignorable  = regexp.MustCompile(`: socket ignored$|: door ignored$|: (?:file|directory) is on a different filesystem; not dumped$|: Directory is new$|: Directory has been renamed$|^Removing leading `)
	movedLine  = regexp.MustCompile(`: Directory has been renamed from `)
)

// line takes a line of tar's stderr, and returns whether it matters to people.
func (r *report) line(line string) bool {
	if m := totalsLine.FindStringSubmatch(line); m != nil {
		r.bytes, _ = strconv.ParseInt(m[1], 10, 64)
		return false
	}
	text, ours := strings.CutPrefix(line, "tar: ")
	switch {
	case text == lastWords || ignorable.MatchString(text):
		return false
	case !ours: // of a library, or of a program that tar has started
		return true
	case movedLine.MatchString(text):
		r.moved = text
		return false
	}
	m := unreadLine.FindStringSubmatch(text)
	warning := strings.Contains(text, ": Warning: ")
	switch {
	case m == nil && !warning && otherLine.MatchString(text):
		if r.broken == "" {
			r.broken = text
		}
	case m == nil || warning:
		if len(r.warnings) < maxWarnings {
			r.warnings = append(r.warnings, text)
		}
	case len(r.unread) < maxUnread:
		r.unread = append(r.unread, m[1])
	default:
		r.unnamed = true
	}
	return true
}

// judge draws the conclusions from how tar ended. The error tells that the
// archive must not be committed.
func (r *report) judge(s chain.Status, member string) error {
	if slices.ContainsFunc(r.unread, func(name string) bool { return unescape(name) == member }) {
		return fmt.Errorf("the source itself could not be read: %s", r.why(s))
	}
	if s.Code == 2 && r.broken != "" {
		return fmt.Errorf("tar: %s", r.broken)
	}
	if s.Code == 2 && len(r.unread) == 0 {
		r.unnamed = true
	}
	return nil
}

// why is the first error that tar reported.
func (r *report) why(s chain.Status) string {
	for _, line := range s.Stderr {
		if text, ok := strings.CutPrefix(line, "tar: "); ok && unreadLine.MatchString(text) {
			return text
		}
	}
	return s.LastLine()
}

// stillUnread returns those of the names that exist and still cannot be read,
// and whether one of them can be read now: tar, for which it has not changed,
// would skip it for ever.
func stillUnread(names []string) (still []string, readable string) {
	for _, escaped := range names {
		path := "/" + unescape(escaped)
		info, err := os.Lstat(path)
		if os.IsNotExist(err) {
			continue // should it come back, it will be new
		}
		if err == nil && (!info.Mode().IsRegular() && !info.IsDir() || readThrough(path, info.IsDir()) == nil) {
			if readable == "" {
				readable = path
			}
			continue
		}
		still = append(still, escaped)
	}
	return still, readable
}

// readThrough reads all of a file, since an error may come late in it, or all
// names in a directory.
func readThrough(path string, dir bool) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if dir {
		for err == nil {
			_, err = f.ReadDir(1000)
		}
		if err == io.EOF {
			err = nil
		}
		return err
	}
	_, err = io.Copy(io.Discard, f)
	return err
}
