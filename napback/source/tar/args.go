package tar

import (
	"strings"
)

// The command lines of GNU tar, side by side: what one of them stores, the other
// has to restore. Scripts and manifests have the same options in theirs, without
// those that only matter to a program that reads along.

// Unpack is the shell command that restores the plain stream of a Directory with
// standard tools, below the current directory.
const Unpack = "tar --extract --file=- --listed-incremental=/dev/null --numeric-owner --same-permissions --xattrs --xattrs-include='*' --acls"

// create is tar's command line to make an archive of a member of /. snapshot is
// the file that tar works on; options select files.
func create(snapshot string, options []string, member string) []string {
	args := []string{
		"--create", "--file=-", "--format=posix", "--pax-option=delete=atime,delete=ctime",
		"--listed-incremental=" + snapshot, "--no-check-device", "--sparse", "--xattrs", "--acls",
		"--no-unquote", "--quoting-style=escape", "--totals", "--warning=rename-directory",
	}
	args = append(args, options...)
	return append(args, "-C", "/", "--", member)
}

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

// Extract is tar's command line to extract an archive of source below dir: all,
// or the given paths. Owners are restored by their numbers, as only these are the
// same when the disk is restored by another system.
func Extract(source, dir string, paths []string) []string {
	args := append([]string{"--extract", "--file=-", "--listed-incremental=/dev/null"}, asStored()...)
	args = append(args, "-C", dir)
	if len(paths) == 0 {
		return args
	}
	args = append(args, exactly()...)
	for _, p := range paths {
		args = append(args, memberOf(source, p))
	}
	return args
}

// Link is a file whose contents an archive has under another name. Both are
// listed names.
type Link struct{ Name, Target string }

// ExtractLinks is tar's command line to extract the targets of hard links below
// dir, under the names of the links.
func ExtractLinks(source, dir string, links []Link) []string {
	args := append([]string{"--extract", "--file=-"}, asStored()...)
	args = append(args, "-C", dir)
	for _, l := range links {
		args = append(args, "--transform=flags=r;s,^"+sedPattern.Replace(memberOf(source, l.Target))+"$,"+sedText.Replace(memberOf(source, l.Name))+",")
	}
	args = append(args, exactly()...)
	for _, l := range links {
		args = append(args, memberOf(source, l.Target))
	}
	return args
}
