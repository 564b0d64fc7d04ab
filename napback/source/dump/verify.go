package dump

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"napback/internal/cli"
	"napback/napback/source"
)

// revisionsMeta is what the manifest of a repository's archive calls its revisions,
// written by Range.
const revisionsMeta = "revisions"

// Meta makes a source.Teller of a reading.
func (r *reading) Meta() map[string]string { return r.meta }

// wholeSQL is source.Kind.Whole of databases: a dump is whole if it ends as its
// program ends one.
func wholeSQL(format func(of string) Format) func(io.Reader, source.Archived) (string, error) {
	return func(stream io.Reader, a source.Archived) (string, error) {
		n, err := Copy(io.Discard, stream, format(a.Source), "")
		return "a whole dump of " + cli.FormatSize(n), err
	}
}

// wholeRevisions is source.Kind.Whole of repositories: their dump holds the revisions
// that the manifest tells, if it does, and goes on where the archive before it ends.
func wholeRevisions(stream io.Reader, a source.Archived) (string, error) {
	r := &revisions{open: true, first: -1}
	if told, ok := a.Meta[revisionsMeta]; ok { // archives of earlier versions do not tell
		var err error
		if r, err = newRevisions(told); err != nil {
			return "", fmt.Errorf("its manifest: %w", err)
		}
	}
	if _, err := copyChecked(io.Discard, stream, r.check); err != nil {
		return "", err
	}
	switch before, known := lastOf(a.Before); {
	case !a.Diff && r.first != 0:
		return "", fmt.Errorf("it is a FULL, but begins with revision %d", r.first)
	case a.Diff && r.first == 0:
		return "", errors.New("it is a DIFF, but begins with revision 0")
	case a.Diff && known && r.first != before+1:
		return "", fmt.Errorf("it begins with revision %d, but the archive that it builds on ends with %d", r.first, before)
	}
	return "revisions " + Range(r.first, r.next-1), nil
}

// lastOf is the last revision that wholeRevisions has found.
func lastOf(holds string) (last int64, ok bool) {
	text, ok := strings.CutPrefix(holds, "revisions ")
	if !ok {
		return 0, false
	}
	var first int64
	n, _ := fmt.Sscanf(text, "%d:%d", &first, &last)
	return last, n == 2
}
