package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func names(c *Config) string {
	var all []string
	for _, j := range c.Jobs {
		all = append(all, j.Name)
	}
	return strings.Join(all, " ")
}

func TestNamesComeFromSources(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Directory /home/build", "home/build"},
		{"Directory /home//build/", "home/build"},
		{"Directory /", "ROOT"},
		{"Directory //", "ROOT"},
		{`Directory "/srv/my files"`, "srv/my files"},
		{"MySQL shop", "MySQL/shop"},
		{"MySQL /run/a.sock:shop", "MySQL/run/a.sock/shop"},
		{"PostgreSQL all", "PostgreSQL/all"},
		{"PostgreSQL ann@shop", "PostgreSQL/ann@shop"},
		{"Subversion /srv/svn/a", "Subversion/srv/svn/a"},
		{"Prefix %h\nDirectory /etc", "web1/etc"},
		{"Prefix /all/%h/100%%/\nDirectory /", "all/web1/100%/ROOT"},
		{"Prefix p\n<Directory /a:b>\nName a-b\n</Directory>", "p/a-b"},
		{"<Cycle c>\nPrefix p\nDirectory /a\n</Cycle>\nDirectory /a", "p/a a"},
		// Several Cycles.
		{"<Cycle c>\nDirectory /a\nDirectory /b\n</Cycle>\n<Cycle d>\nDirectory /a\n</Cycle>", "c/a b d/a"},
		{"Directory /a\n<Cycle c>\nDirectory /a\n</Cycle>", "a c/a"},
		{"<Cycle c>\nDirectory /a\n</Cycle>\nDirectory /a", "c/a a"},
		{"Prefix p\n<Cycle c>\nMySQL a\n</Cycle>\n<Cycle d>\n<MySQL a>\n</MySQL>\n</Cycle>", "p/c/MySQL/a p/d/MySQL/a"},
		{"<Cycle c>\n<Directory /b>\nName a\n</Directory>\n</Cycle>\n<Cycle d>\nDirectory /a\n</Cycle>", "a d/a"},
		{"<Cycle a:b>\nDirectory /a\n</Cycle>", "a"}, // a Cycle that lends its name to none may have any
	} {
		if got := names(parse(t, required+c.text)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.text, got, c.want)
		}
	}
}

func TestTwoJobsCannotShareAName(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"Directory /a\nDirectory /a/",
			`f:4: Directory /a would have the archive name "a", which Directory /a at f:3 has: remove one, or give it a Name`},
		{"<Cycle c>\nDirectory /a\n<Directory /a>\nFulls 2\n</Directory>\n</Cycle>\n<Cycle d>\nDirectory /a\n</Cycle>",
			`f:5: Directory /a would have the archive name "c/a", which Directory /a at f:4 has: remove one, or give it a Name`},
		{"Directory /MySQL/a\nMySQL a",
			`f:4: MySQL a would have the archive name "MySQL/a", which Directory /MySQL/a at f:3 has: remove one, or give it a Name`},
		{"Directory /ROOT\nDirectory /",
			`f:4: Directory / would have the archive name "ROOT", which Directory /ROOT at f:3 has: remove one, or give it a Name`},
		{"<Cycle c>\n<Directory /a>\nName n\n</Directory>\n</Cycle>\n<Cycle d>\n<Directory /b>\nName n\n</Directory>\n</Cycle>",
			`f:9: Directory /b would have the archive name "n", which Directory /a at f:4 has: remove one, or give it a Name`},
		{"Directory /c/a\nDirectory /a\n<Cycle c>\nDirectory /a\n</Cycle>",
			`f:6: Directory /a would have the archive name "c/a", which Directory /c/a at f:3 has: remove one, or give it a Name`},
		{"Directory /a\n<Cycle x:y>\nDirectory /a\n</Cycle>",
			`f:5: Directory /a: no archive can have the name "x:y/a": a name cannot hold ':'`},
		{"SubversionDir /r\nDirectory /Subversion/r/a",
			`f:4: Directory /Subversion/r/a has the archive name "Subversion/r/a", which could be that of a repository of SubversionDir /r at f:3: give it a Name`},
	} {
		if diff := cmp.Diff(c.want, reasons(t, memory{"f": required + c.text})); diff != "" {
			t.Errorf("%s\n%s", c.text, diff)
		}
	}
}

// A job's archives are NAME-SLOT-TYPE. A name may itself end like that.
func TestNoTwoJobsShareAnArchive(t *testing.T) {
	c := parse(t, required+"Directory /x\nDirectory /x-3\nDirectory /x-3-FULL\nDirectory /x-3-FULL-3\nDirectory /x-\nDirectory /x-3-DIFF\n")
	owner := map[string]string{}
	for _, j := range c.Jobs {
		for number := range 40 {
			for _, kind := range []string{"FULL", "DIFF"} {
				archive := fmt.Sprintf("%s-%d-%s", j.Name, number, kind)
				if other, taken := owner[archive]; taken {
					t.Fatalf("%q belongs to %s and to %s", archive, other, j.Name)
				}
				owner[archive] = j.Name
			}
		}
	}
}

func TestARepositoryWithItsOwnJobIsLeftToIt(t *testing.T) {
	c := parse(t, required+"<SubversionDir /srv/svn>\nFulls 3\n</SubversionDir>\n<Cycle c>\nSubversion /srv/svn/own\n</Cycle>")
	if j, ok := c.Member(c.Jobs[0], "own"); ok {
		t.Errorf("a repository with a job of its own has a second one, %+v", j)
	}
	j, ok := c.Member(c.Jobs[0], "other")
	if !ok || j.Kind.Name != "Subversion" || j.Source != "/srv/svn/other" || j.Name != "Subversion/srv/svn/other" || *j.Settings.Fulls != 3 {
		t.Errorf("got %+v, %v", j, ok)
	}
}

func TestConfigurationsThatShareAnArchiveCannotRunTogether(t *testing.T) {
	load := func(path, text string) *Config {
		c, err := load(path, Env{}, memory{path: text})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := load("a", "Bucket b\nDiffDir /a\nMetricsFile /m/a.prom\nDirectory /etc\nDirectory /srv")
	for _, c := range []struct {
		other *Config
		want  string
	}{
		{load("b", "Bucket b\nDiffDir /b\nDirectory /home"), ""},
		{load("b", "Bucket other\nDiffDir /b\nDirectory /etc"), ""},
		{load("b", "Bucket b\nEndpoint file:///mnt\nDiffDir /b\nDirectory /etc"), ""},
		{load("b", "Bucket b\nDiffDir /b\nDirectory /etc"),
			`b:3: Directory /etc has the archive name "etc", which Directory /etc at a:4 has: give one of them a Name or a Prefix`},
		{load("b", "Bucket other\nDiffDir /a\nDirectory /srv"),
			`b:3: Directory /srv has the archive name "srv", which Directory /srv at a:5 has: give one of them a Name or a Prefix`},
		{load("b", "Bucket b\nDiffDir /b\nMetricsFile /m/a.prom\nDirectory /home"),
			`b: MetricsFile "/m/a.prom" is that of a: each would replace what the other wrote`},
		{a, `configuration "a" is given twice`},
	} {
		got := ""
		if err := CheckTogether([]*Config{a, c.other}); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
