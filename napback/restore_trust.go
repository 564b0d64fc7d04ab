package main

import (
	"path"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/dump"
)

// trust refuses an archive that is not what the configuration makes of the job:
// what its manifest says decides what is written where, and whoever can write to
// the bucket can write manifests.
func (t target) trust(a catalog.Entry, acceptPlain bool) error {
	if t.job != nil && !sameSource(t.job, a.Source()) {
		return cli.WithHint(cli.Errorf(cli.Integrity, "%s of run %s: it was made of %q, the job is %s", a.Name, a.Run, a.Source(), t.job),
			"a configuration with the bucket, but without this job, restores it --to another place")
	}
	if dir, ok := isDirectory(a); ok && !isCleanPath(dir) {
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
func (t target) placed(inPlace, load bool, kind config.Kind, to string) error {
	if t.job != nil || !inPlace && (!load || kind == config.Subversion && to != "") {
		return nil
	}
	hint := "configure the job, or restore --to another place"
	if load && kind != config.Subversion {
		hint = "configure the job, or restore --to a file"
	}
	return cli.WithHint(cli.UsageErrorf("job %q: no job of the configuration says where it belongs, only the bucket does", t.name), "%s", hint)
}

// isCleanPath reports whether a path is absolute and written in the one way.
func isCleanPath(name string) bool { return path.IsAbs(name) && path.Clean(name) == name }

// sameSource reports whether a manifest's source is that of a job. A database is
// the same on another server, or through another socket or user.
func sameSource(job *config.Job, source string) bool {
	kind, name := kindOf(source)
	switch {
	case kind == config.Subversion && job.Kind == config.SubversionDir:
		return isCleanPath(name) && strings.HasPrefix(name, strings.TrimSuffix(job.Source, "/")+"/")
	case kind != job.Kind:
		return false
	case kind == config.MySQL:
		return dump.ParseMySQL(name, nil).Database == dump.ParseMySQL(job.Source, nil).Database
	case kind == config.PostgreSQL:
		return dump.ParsePostgreSQL(name, nil).Database == dump.ParsePostgreSQL(job.Source, nil).Database
	}
	return name == job.Source
}
