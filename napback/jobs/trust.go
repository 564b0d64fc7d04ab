package jobs

import (
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/source"
	"napback/napback/source/kinds"
)

// Trust refuses an archive that is not what the configuration makes of the job:
// what its manifest says decides what is written where, and whoever can write to
// the bucket can write manifests.
func (t Target) Trust(a catalog.Entry, acceptPlain bool) error {
	if kind, of := KindOf(a.Source()); t.Job != nil && !t.Job.Kind.IsSame(t.Job.Source, kind.Name, of) {
		return cli.WithHint(cli.Errorf(cli.Integrity, "%s of run %s: it was made of %q, the job is %s", a.Name, a.Run, a.Source(), t.Job),
			"a configuration with the bucket, but without this job, restores it --to another place")
	}
	if dir, ok := Directory(a); ok && !source.IsCleanPath(dir) {
		return cli.Errorf(cli.Integrity, "%s of run %s: its manifest says it was made of %q, which is not the path of a directory", a.Name, a.Run, dir)
	}
	if len(t.Settings.GpgRecipients) > 0 && a.Encryption() == "" && !acceptPlain {
		return cli.WithHint(cli.Errorf(cli.Integrity, "%s of run %s: it is not encrypted, although the configuration has a GpgRecipient", a.Name, a.Run),
			"if it was made before the configuration had one: --accept-unencrypted")
	}
	return nil
}

// Placed refuses to restore to where the archives say that they were made: of a
// job that is not configured nobody else says it.
func (t Target) Placed(inPlace, load bool, kind source.Kind, to string) error {
	if t.Job != nil || !inPlace && (!load || kind.LoadsTo && to != "") {
		return nil
	}
	hint := "configure the job, or restore --to another place"
	if load && !kind.LoadsTo {
		hint = "configure the job, or restore --to a file"
	}
	return cli.WithHint(cli.UsageErrorf("job %q: no job of the configuration says where it belongs, only the bucket does", t.Name), "%s", hint)
}

// KindOf parts what an archive was made of, as manifests have it.
func KindOf(made string) (kind source.Kind, of string) {
	name, of, _ := strings.Cut(made, " ")
	return kinds.Of(name), of
}

// Directory tells whether an archive is tar's, of a directory, and of which.
func Directory(a catalog.Entry) (dir string, ok bool) {
	kind, dir := KindOf(a.Source())
	return dir, kind.Tree
}
