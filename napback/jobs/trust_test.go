package jobs

import (
	"testing"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/source/kinds"
)

func TestAnArchiveOfAnotherSourceIsNotTheJobs(t *testing.T) {
	for _, c := range []struct {
		kind         string
		source, made string
		want         bool
	}{
		{"Directory", "/home", "Directory /home", true},
		{"Directory", "/home", "Directory /home/", false},
		{"Directory", "/home", "Directory /etc", false},
		{"Directory", "/home", "Subversion /home", false},
		{"Directory", "/home", "Directory", false},
		{"PostgreSQL", "me@shop", "PostgreSQL you@shop", true}, // the database counts
		{"PostgreSQL", "me@shop", "PostgreSQL me@other", false},
		{"MySQL", "me@shop", "PostgreSQL me@shop", false},
		{"SubversionDir", "/svn", "Subversion /svn/one", true},
		{"SubversionDir", "/svn", "Subversion /svn/../etc", false},
		{"SubversionDir", "/svn", "Subversion /svnother", false},
	} {
		job := &config.Job{Kind: kinds.Of(c.kind), Source: c.source, Name: "job"}
		a := catalog.Entry{Name: "job-0-FULL", Meta: map[string]string{"source": c.made}}
		err := Target{Name: "job", Settings: &job.Settings, Job: job}.Trust(a, false)
		if (err == nil) != c.want || err != nil && cli.ExitStatus(err) != cli.Integrity {
			t.Errorf("%s of %s %s: %v", c.made, c.kind, c.source, err)
		}
	}
}
