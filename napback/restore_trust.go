package main

import (
	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/source"
)

// trust refuses an archive that is not what the configuration makes of the job:
// what its manifest says decides what is written where, and whoever can write to
// the bucket can write manifests.
func (t target) trust(a catalog.Entry, acceptPlain bool) error {
	if t.job != nil && !sameSource(t.job, a.Source()) {
		return cli.WithHint(cli.Errorf(cli.Integrity, "%s of run %s: it was made of %q, the job is %s", a.Name, a.Run, a.Source(), t.job),
			"a configuration with the bucket, but without this job, restores it --to another place")
	}
	if dir, ok := isDirectory(a); ok && !source.IsCleanPath(dir) {
		return cli.Errorf(cli.Integrity, "%s of run %s: its manifest says it was made of %q, which is not the path of a directory", a.Name, a.Run, dir)
	}
	if len(t.settings.GpgRecipients) > 0 && a.Encryption() == "" && !acceptPlain {
		return cli.WithHint(cli.Errorf(cli.Integrity, "%s of run %s: it is not encrypted, although the configuration has a GpgRecipient", a.Name, a.Run),
			"if it was made before the configuration had one: --accept-unencrypted")
	}
	return nil
}

// placed refuses to restore to where the archives say that they were made: of a
// job that is not configured nobody else says it.
func (t target) placed(inPlace, load bool, kind source.Kind, to string) error {
	if t.job != nil || !inPlace && (!load || kind.LoadsTo && to != "") {
		return nil
	}
	hint := "configure the job, or restore --to another place"
	if load && !kind.LoadsTo {
		hint = "configure the job, or restore --to a file"
	}
	return cli.WithHint(cli.UsageErrorf("job %q: no job of the configuration says where it belongs, only the bucket does", t.name), "%s", hint)
}

// sameSource reports whether a manifest's source is that of a job.
func sameSource(job *config.Job, made string) bool {
	kind, name := kindOf(made)
	return job.Kind.IsSame(job.Source, kind.Name, name)
}
