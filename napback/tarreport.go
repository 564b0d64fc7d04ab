package main

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

// tarDone tells whether tar has written a whole archive although its exit
// status is not 0: 1 means that files changed while it read them, 2 with these
// last words that some could not be read.
func tarDone(s chain.Status) bool {
	return s.Signal == "" && (s.Code == 1 || s.Code == 2 && s.LastLine() == lastWords)
}

// tarReport collects what tar says on stderr.
type tarReport struct {
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
func (r *tarReport) line(line string) bool {
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
func (r *tarReport) judge(s chain.Status, member string) error {
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
func (r *tarReport) why(s chain.Status) string {
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

// escape writes a name as tar's --quoting-style=escape might: in ASCII without
// control characters, so that it comes through JSON as it was.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescape undoes tar's --quoting-style=escape.
func unescape(name string) string {
	if !strings.Contains(name, `\`) {
		return name
	}
	simple := map[byte]byte{'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '\\' || i+1 == len(name) {
			b.WriteByte(name[i])
			continue
		}
		i++
		if i+3 <= len(name) {
			if n, err := strconv.ParseUint(name[i:i+3], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		if c, ok := simple[name[i]]; ok {
			b.WriteByte(c)
		} else {
			b.WriteByte(name[i])
		}
	}
	return b.String()
}
