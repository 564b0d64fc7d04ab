package jobs

import (
	"testing"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
)

func TestAnArchiveOfAnotherSourceIsNotTheJobs(t *testing.T) {
	for _, c := range []struct {
		kind         config.Kind
		source, made string
		want         bool
	}{
		{config.Directory, "/home", "Directory /home", true},
		{config.Directory, "/home", "Directory /home/", false},
		{config.Directory, "/home", "Directory /etc", false},
		{config.Directory, "/home", "Subversion /home", false},
		{config.Directory, "/home", "Directory", false},
		{config.PostgreSQL, "me@shop", "PostgreSQL you@shop", true}, // the database counts
		{config.PostgreSQL, "me@shop", "PostgreSQL me@other", false},
		{config.MySQL, "me@shop", "PostgreSQL me@shop", false},
		{config.SubversionDir, "/svn", "Subversion /svn/one", true},
		{config.SubversionDir, "/svn", "Subversion /svn/../etc", false},
		{config.SubversionDir, "/svn", "Subversion /svnother", false},
	} {
		job := &config.Job{Kind: c.kind, Source: c.source, Name: "job"}
		a := catalog.Entry{Name: "job-0-FULL", Meta: map[string]string{"source": c.made}}
		err := Target{Name: "job", Settings: &job.Settings, Job: job}.Trust(a, false)
		if (err == nil) != c.want || err != nil && cli.ExitStatus(err) != cli.Integrity {
			t.Errorf("%s of %s %s: %v", c.made, c.kind, c.source, err)
		}
	}
}
