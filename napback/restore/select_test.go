package restore

import (
	"slices"
	"strings"
	"testing"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/dumpdir"
	"napback/napback/source/tar"
)

func TestPathsAreThoseBelowTheSource(t *testing.T) {
	for _, c := range []struct {
		source, words string
		want          string // listed names; "-" = all, "" = refused
	}{
		{"/srv/a", "b", "srv/a/b"},
		{"/srv/a", "/srv/a/b/", "srv/a/b"},
		{"/srv/a", "b/c b", "srv/a/b"}, // the one comes with the other
		{"/srv/a", "bc b/c b", "srv/a/b srv/a/bc"},
		{"/srv/a", "b .", "-"},
		{"/srv/a", "../a", "-"},
		{"/srv/a", "/srv/ab", ""},
		{"/srv/a", "../..", ""},
		{"/", "etc", "etc"},
		{"/", "..", "-"},
	} {
		r := &Tree{Request: Request{Source: c.source}}
		got, err := r.parsePaths(strings.Fields(c.words))
		switch {
		case c.want == "":
			if cli.ExitStatus(err) != cli.NotFound {
				t.Errorf("%s of %s: %q, %v", c.words, c.source, got, err)
			}
		case err != nil || !slices.Equal(got, strings.Fields(strings.TrimPrefix(c.want, "-"))):
			t.Errorf("%s of %s: %q, %v", c.words, c.source, got, err)
		}
	}
}

// D is a directory, Y a file that the archive holds, N one that has not changed; as
// the archives of a chain list a name, oldest first. "-" is one that has no list of the
// directory, "." one that does not list the name.
func TestAPathIsTakenFromTheArchivesThatHoldIt(t *testing.T) {
	for lists, want := range map[string]string{
		"-Y":    "1 1",
		"-N":    "0 0", // only the FULL can hold it
		"-YN":   "1 1",
		"-YNNY": "4 4",
		"-D":    "0 1", // the FULL was not read
		"-.D":   "2 2",
		"DDD":   "0 2",
		"DYD":   "2 2",
		"YDY":   "2 2",
		"-D.":   "",
		"-DN":   "",
		"YN":    "0 0",
		"NN":    "", // excluded from the backup
	} {
		r := &Tree{Request: Request{Point: catalog.RecoveryPoint{Chain: make([]catalog.Entry, len(lists))}}}
		for _, c := range []byte(lists) {
			toc := &toc{dirs: map[string][]dumpdir.Item{"src": nil}}
			switch c {
			case '-':
				toc = nil
			case '.':
			case 'D':
				toc.dirs["src/x"] = nil
				fallthrough
			default:
				toc.dirs["src"] = []dumpdir.Item{{Kind: c, Name: "x"}}
			}
			r.tocs = append(r.tocs, toc)
		}
		from, to, err := r.span("src/x")
		got := string(rune('0'+from)) + " " + string(rune('0'+to))
		if err != nil {
			got = ""
		}
		if got != want {
			t.Errorf("%s: from archives %q, %v; want %q", lists, got, err, want)
		}
	}
}

func TestWhatTarDeletesIsForetold(t *testing.T) {
	for _, c := range []struct {
		lists       string // of the archives, one letter each; "." = not on it
		dir         bool   // what is on disk
		kept, drops bool
	}{
		{"Y", false, true, false},
		{"Y", true, false, true},
		{"D", true, true, false},
		{"D", false, false, true},
		{".", false, false, true},
		{"Y.", false, false, true},
		{".Y", false, true, true},
		{"YN", false, true, false},
		{"N", false, false, false}, // no archive holds it
		{"DYD", true, true, true},
		{"YDY", false, true, true},
	} {
		var lists []map[string]byte
		for _, kind := range []byte(c.lists) {
			list := map[string]byte{}
			if kind != '.' {
				list["x"] = kind
			}
			lists = append(lists, list)
		}
		if kept, drops := fate(lists, "x", c.dir); kept != c.kept || drops != c.drops {
			t.Errorf("%s, directory %v: kept %v, drops %v", c.lists, c.dir, kept, drops)
		}
	}
}

// A command line has room for 2 MiB, and each name is on it up to twice.
func TestLinksFitOnACommandLine(t *testing.T) {
	link := tar.Link{Name: strings.Repeat("n", 4000), Target: strings.Repeat("t", 4000)}
	for _, n := range []int{1, 2, 32, 33, 500} {
		if got := fitting(slices.Repeat([]tar.Link{link}, n)); got != min(n, maxLinkNames/8064) {
			t.Errorf("%d of %d", got, n)
		}
	}
	link.Name = strings.Repeat("n", maxLinkNames)
	if got := fitting([]tar.Link{link, link}); got != 1 {
		t.Errorf("a long name: %d", got)
	}
}
