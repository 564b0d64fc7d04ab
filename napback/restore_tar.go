package main

import (
	"regexp"
	"strings"

	"napback/napback/catalog"
	"napback/napback/chain"
)

// asStored makes tar restore all that archives hold. It would warn of times long
// ago or to come, with names as they are, line feeds included.
func asStored() []string {
	return []string{"--warning=no-timestamp", "--numeric-owner", "--same-permissions", "--xattrs", "--xattrs-include=*", "--acls", "--quoting-style=escape"}
}

// exactly makes tar take the names that follow as they are.
func exactly() []string { return []string{"--no-unquote", "--no-wildcards", "--anchored", "--"} }

// sedPattern and sedText write names as they stand in a sed expression between
// commas.
var (
	sedPattern = strings.NewReplacer(`\`, `\\`, ",", `\,`, ".", `\.`, "*", `\*`, "[", `\[`, "]", `\]`, "^", `\^`, "$", `\$`)
	sedText    = strings.NewReplacer(`\`, `\\`, ",", `\,`, "&", `\&`)
)

// extractArgs is tar's command line to extract an archive below dir: all, or
// the given paths. Owners are restored by their numbers, as only these are the
// same when the disk is restored by another system.
func extractArgs(a catalog.Entry, dir string, paths []string) []string {
	args := append([]string{"--extract", "--file=-", "--listed-incremental=/dev/null"}, asStored()...)
	args = append(args, "-C", dir)
	if len(paths) == 0 {
		return args
	}
	args = append(args, exactly()...)
	for _, p := range paths {
		args = append(args, memberOf(a, p))
	}
	return args
}

// linkArgs is tar's command line to extract the targets of hard links below
// dir, under the names of the links.
func linkArgs(a catalog.Entry, dir string, links []hardLink) []string {
	args := append([]string{"--extract", "--file=-"}, asStored()...)
	args = append(args, "-C", dir)
	for _, l := range links {
		args = append(args, "--transform=flags=r;s,^"+sedPattern.Replace(memberOf(a, l.target))+"$,"+sedText.Replace(memberOf(a, l.name))+",")
	}
	args = append(args, exactly()...)
	for _, l := range links {
		args = append(args, memberOf(a, l.target))
	}
	return args
}

// memberOf is the name of a member, given that of a path.
func memberOf(a catalog.Entry, p string) string {
	if source, _ := isDirectory(a); source == "/" {
		return "./" + p
	}
	return p
}

// extractReport collects what tar says when it extracts.
type extractReport struct {
	selective bool       // not all of the archive was asked for
	missing   []string   // paths that were asked for and are not in the archive, as listed names
	split     []hardLink // links to files that were not asked for
	trouble   []string   // what it could not do
	damaged   bool       // the archive is not what it should be
	failed    bool       // some of the trouble is more than a warning
}

var (
	splitLine    = regexp.MustCompile(`^(.*): Cannot hard link to '(.*)': No such file or directory$`)
	notFoundLine = regexp.MustCompile(`^(.*): Not found in archive$`)
	damagedLine  = regexp.MustCompile(`^(Unexpected EOF in archive|This does not look like a tar archive|Skipping to next header|A lone zero block|Archive contains|Malformed extended header|Error is not recoverable|Child returned status)`)
	quietLine    = regexp.MustCompile(`^Removing leading `)
)

// line takes a line of tar's stderr.
func (r *extractReport) line(line string) {
	text := strings.TrimPrefix(line, "tar: ")
	if m := splitLine.FindStringSubmatch(text); m != nil && r.selective {
		r.split = append(r.split, hardLink{listedName(unescape(m[1])), listedName(unescape(m[2]))})
		return
	}
	switch m := notFoundLine.FindStringSubmatch(text); {
	case m != nil:
		r.missing = append(r.missing, listedName(unescape(m[1])))
	case text == lastWords, quietLine.MatchString(text):
	default:
		if damagedLine.MatchString(text) {
			r.damaged = true
		}
		if len(r.trouble) < maxWarnings {
			r.trouble = append(r.trouble, text)
		}
	}
}

// accept tells whether tar has read the whole archive although some of it could
// not be restored: then the archives after it can still be applied, and the
// most is saved. The restore fails all the same, at its end.
func (r *extractReport) accept(s chain.Status) bool {
	return s.Signal == "" && s.Code == 2 && s.LastLine() == lastWords && !r.damaged
}
