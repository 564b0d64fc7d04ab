package tar

import (
	"regexp"
	"slices"
	"strings"

	"napback/napback/chain"
)

// Extraction collects what tar says when it extracts.
type Extraction struct {
	Selective bool     // not all of the archive was asked for
	Missing   []string // paths that were asked for and are not in the archive, as listed names
	Split     []Link   // links to files that were not asked for
	Trouble   []string // what it could not do
	damaged   bool     // the archive is not what it should be
	Failed    bool     // some of the trouble is more than a warning
}

var (
	splitLine    = regexp.MustCompile(`^(.*): Cannot hard link to '(.*)': No such file or directory$`)
	notFoundLine = regexp.MustCompile(`^(.*): Not found in archive$`)
	damagedLine  = regexp.MustCompile(`^(Unexpected EOF in archive|This does not look like a tar archive|Skipping to next header|A lone zero block|Archive contains|Malformed extended header|Error is not recoverable|Child returned status)`)
	quietLine    = regexp.MustCompile(`^Removing leading `)
)

// Damaged tells that tar has complained of what it read.
func Damaged(s chain.Status) bool {
	return slices.ContainsFunc(s.Stderr, func(line string) bool { return damagedLine.MatchString(strings.TrimPrefix(line, "tar: ")) })
}

// Line takes a line of tar's stderr.
func (r *Extraction) Line(line string) {
	text := strings.TrimPrefix(line, "tar: ")
	if m := splitLine.FindStringSubmatch(text); m != nil && r.Selective {
		r.Split = append(r.Split, Link{Listed(unescape(m[1])), Listed(unescape(m[2]))})
		return
	}
	switch m := notFoundLine.FindStringSubmatch(text); {
	case m != nil:
		r.Missing = append(r.Missing, Listed(unescape(m[1])))
	case text == lastWords, quietLine.MatchString(text):
	default:
		if damagedLine.MatchString(text) {
			r.damaged = true
		}
		if len(r.Trouble) < maxWarnings {
			r.Trouble = append(r.Trouble, text)
		}
	}
}

// Accept tells whether tar has read the whole archive although some of it could
// not be restored: then the archives after it can still be applied, and the
// most is saved. The restore fails all the same, at its end.
func (r *Extraction) Accept(s chain.Status) bool {
	return s.Signal == "" && s.Code == 2 && s.LastLine() == lastWords && !r.damaged
}
