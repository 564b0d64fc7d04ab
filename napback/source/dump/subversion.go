package dump

import (
	"fmt"
	"strconv"
)

// Subversion is the path of a Subversion repository.
type Subversion string

// Dump is the command that writes the revisions from..to to stdout. Dumps of
// consecutive ranges, one after the other, make a dump of the whole range.
func (s Subversion) Dump(from, to int64) Command {
	args := []string{"dump", "--quiet"}
	if from > 0 {
		args = append(args, "--incremental")
	}
	return svnadmin(append(args, "--revision", Range(from, to), string(s))...)
}

// Range writes revisions as svnadmin and Copy take them.
func Range(from, to int64) string { return fmt.Sprintf("%d:%d", from, to) }

// Load is the command that adds the revisions of a dump from stdin. Properties
// that today's rules do not allow, but that are in the repository, stay as they
// are.
func (s Subversion) Load() Command {
	return svnadmin("load", "--quiet", "--bypass-prop-validation", string(s))
}

// Create is the command that makes an empty repository. Its first load gives it
// the UUID of the dump.
func (s Subversion) Create() Command { return svnadmin("create", string(s)) }

// Youngest is the command that prints the number of the last revision.
func (s Subversion) Youngest() Command { return svnlook("youngest", string(s)) }

// UUID is the command that prints which repository this is.
func (s Subversion) UUID() Command { return svnlook("uuid", string(s)) }

// Date is the command that prints when a revision was made, to the microsecond.
// A repository that was restored from an older copy and went on from there has
// the same UUID, but not the same dates.
func (s Subversion) Date(revision int64) Command {
	return svnlook("propget", "--revprop", "-r", strconv.FormatInt(revision, 10), string(s), "svn:date")
}

func svnadmin(args ...string) Command { return Command{Programs: []string{"svnadmin"}, Args: args} }
func svnlook(args ...string) Command  { return Command{Programs: []string{"svnlook"}, Args: args} }
