package tar

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// optionsIn returns the options of a command line, without those that only matter
// to a program that reads along, or that say where.
func optionsIn(args []string) []string {
	var all []string
	for _, a := range args {
		if a == "--" {
			break
		}
		a = strings.ReplaceAll(a, "'", "")
		name, _, _ := strings.Cut(a, "=")
		switch name {
		case "--quoting-style", "--totals", "--warning", "--no-unquote", "--no-wildcards", "--anchored", "--format", "--pax-option":
			continue
		case "--preserve-permissions":
			a = "--same-permissions" // by another name
		case "--listed-incremental":
			if a != "--listed-incremental=/dev/null" {
				a = name
			}
		}
		if strings.HasPrefix(a, "--") {
			all = append(all, a)
		}
	}
	slices.Sort(all)
	return all
}

func TestScriptsStoreAndRestoreAsWeDo(t *testing.T) {
	extract := optionsIn(Extract("/x", "/to", nil))
	if got := optionsIn(strings.Fields(Unpack)); !slices.Equal(got, extract) {
		t.Errorf("manifests tell to extract with %q, restores do with %q", got, extract)
	}
	// Scripts leave it to tar whether an owner's name or number counts.
	extract = slices.DeleteFunc(extract, func(o string) bool { return o == "--numeric-owner" })
	create := optionsIn(create("/snapshot", nil, "x"))
	scripts, err := filepath.Glob("../../../scripts/*.sh")
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^\s*tar (--(?:create|extract) (?:[^\n]*\\\n)*[^\n]*?)( \|\||$)`)
	found := map[string]int{}
	for _, script := range scripts {
		if filepath.Base(script) == "restore-s3napback.sh" {
			continue // that stored no attributes
		}
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range line.FindAllStringSubmatch(string(text), -1) {
			got := optionsIn(strings.Fields(strings.ReplaceAll(m[1], "\\\n", " ")))
			want := create
			if slices.Contains(got, "--extract") {
				want = extract
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: tar has %q, ours has %q", script, got, want)
			}
			found[filepath.Base(script)]++
		}
	}
	for _, script := range []string{"backup.sh", "restore.sh", "restore-without-napback.sh"} {
		if found[script] == 0 {
			t.Errorf("%s has no tar line", script)
		}
	}
}

func TestNamesAreTakenAsTheyAreByExtract(t *testing.T) {
	for _, c := range []struct {
		source string
		want   []string
	}{
		{"/a", []string{"--", "a/b*", "-c"}},
		{"/", []string{"--", "./a/b*", "./-c"}},
	} {
		args := Extract(c.source, "/to", []string{"a/b*", "-c"})
		if !slices.Equal(args[len(args)-3:], c.want) || !slices.Contains(args, "--no-wildcards") {
			t.Errorf("of %s: %q", c.source, args)
		}
	}
	args := ExtractLinks("/", "/to", []Link{{Name: "a&,b", Target: "c.[d]"}})
	if !slices.Contains(args, `--transform=flags=r;s,^\./c\.\[d\]$,./a\&\,b,`) || args[len(args)-1] != "./c.[d]" {
		t.Errorf("links: %q", args)
	}
}
