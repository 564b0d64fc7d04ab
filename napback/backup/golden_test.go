//go:build linux

package backup

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"napback/napback/config"
	"napback/napback/journal"
	"napback/napback/programs"
)

// TestTheHashesOfChainsNeverChange: with another hash, every chain of every user
// would begin anew. The values are never adapted to the code. Paths lead through
// /proc/self/cwd, so that they are the same on each machine.
func TestTheHashesOfChainsNeverChange(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{
		"patterns": "from/a/file\n\n/proc/self/cwd/tree/anchored/\n", "tree/f": "x", "repo/format": "5\n", "repo/db/x": "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, program := range []string{"mysqldump", "mariadb-dump", "pg_dump", "pg_dumpall", "svnadmin", "svnlook", "napback"} {
		if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\necho 0\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for _, c := range []struct{ text, want string }{
		{"Directory $/tree",
			"a65cfdca5da37d89007e2e6d5c83f4ea7276416477dc025c717bc0d597cb5c37"},
		{"Directory $/tree\nCycleType HanoiCycle",
			"ff997aacf3070068784a8c0610f4b8c1826043428b4cc6c1ffe80dd03967b28d"},
		{"Directory $/tree\nCycleType HanoiCycle\nDiscs 4\nArchiveOldestDisc on\nFrequency 2",
			"dc744baa6c586af971775a66cafb418ee85b9a1d5278e27be1aa28541bdd37fe"},
		{"Directory $/tree\nFrequency 7\nPhase 3\nDiffs 3\nFulls 2",
			"7df6ce9c18faa32a1172203869bae7a5fd8599d6473306fed5a43f69e42cee7a"},
		// A weekday is only another way to write a phase.
		{"Directory $/tree\nPhase 4",
			"4a7120c44fcce1be8085eb1ebb3b54f7b18b1c1ce36e88f5405a86c82dc9d55f"},
		{"Directory $/tree\nFullOn sunday",
			"4a7120c44fcce1be8085eb1ebb3b54f7b18b1c1ce36e88f5405a86c82dc9d55f"},
		{"Directory /",
			"72fc264f62284bd6fd435de8f3228b591ff070501c6ba3b1c41e18907e98bdce"},
		{"Exclude /proc\nExclude *.o\nDirectory /",
			"0b53636b44252d7b2f7dac5acb9a1b8350a45c2ae0f89dfce79a60e214ae8905"},
		{"<Directory $/tree>\nExclude $/tree/cache/\nExclude *.o\nOneFileSystem on\nTarOptions --exclude-caches -S\nTarOptions --exclude-vcs\n</Directory>",
			"63f2d9b6fde030ef3f26d6de761978d414eb4cd3ba0ef2c42239dde614d18e16"},
		{"Exclude top\n<Directory $/tree>\nExclude inner\nExcludeFrom $/patterns\nOneFileSystem off\n</Directory>",
			"118a19adede6e54e15ac03898e2cd00891bc792ea994bb5508e17c112b65a3a4"},
		{"MySQL shop",
			"4a9453777cd7b7940d37b2f149e23cbc8824273459aa94f826a28ca1594faf7b"},
		{"MySQL all\nFulls 3",
			"df64d4ead97f22faa735eba2c6e1d3da3393239f7fc8dc279a05677a4457a5ce"},
		{"MySQLOptions --host=db -P 3307\n<MySQL /run/my.sock:shop>\nName other\n</MySQL>\nCycleType HanoiCycle",
			"72429524ab8c4fe3cd94bb4f178250f703030eecc0e48c791039a4ae1362e026"},
		{"PostgreSQL shop",
			"880db8e6d305e9e180cbfcc24e91a8bd485d1674664c2b516e1ba9548923f985"},
		{"PostgreSQL ann@all\nPostgreSQLOptions --no-owner",
			"e2052c7bb56dd689e022c23087b80fb47cba0237223688c7bd58789dcde6adf8"},
		{"PostgreSQLOptions --host=db\n<PostgreSQL a=b>\nPostgreSQLOptions -p 5433\n</PostgreSQL>",
			"479fcd68e52d071a71383190c3188aa404d5c719b4644b5aa76f76a75baa496b"},
		{"Subversion $/repo",
			"4524c36d8721b9d3b17ea1988c43f3d5580a2a0a38dcb6bacb3fc70b92c303ce"},
		{"Subversion $/repo\nDiffs 2\nFulls 9",
			"6bb16b8f59a0cfcc8f195d8654589b953fa900e425cc165c17da89feeb1f452a"},
		{"Subversion $/repo\nCycleType HanoiCycle",
			"61aca4e44b885c55afc4fa87eb1cde03ecd9b304223534eb7a6c4b19fc325f64"},
	} {
		text := strings.ReplaceAll("Bucket b\nDiffDir $/tree/diffs\n"+c.text+"\n", "$", "/proc/self/cwd")
		if err := os.WriteFile("conf", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		configuration, err := config.Load("conf", config.Env{})
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		job := &configuration.Jobs[0]
		h := Host{Kit: programs.Kit{Env: os.Environ()}, Log: journal.New(io.Discard, false)}
		from, err := h.OpenSource(t.Context(), job)
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if got := hashOf(job, from.Hash()); got != c.want {
			t.Errorf("%q has the hash %s", c.text, got)
		}
	}
}
