// Package napback_test checks that the documents at the root are true.
package napback_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages are the documents in which a path has to exist.
var pages = []string{"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"}

var (
	inBackticks = regexp.MustCompile("`([^`\n]+)`")
	link        = regexp.MustCompile(`\]\(([^)#:]+)\)`)
	// A path begins with a folder or file of ours, or ends as a file of ours does.
	path = regexp.MustCompile(`^(?:(?:internal|napback|s3put|s3get|s3ls|s3rm|slotcalc|pgpipe|scripts|man|tools|\.ci)/[A-Za-z0-9_./-]+|\.?[A-Za-z0-9_./-]+\.(?:md|yml|mod)|[a-z_/-]+\.go)$`)
)

// paths are those that a text names in backticks, and those that it links.
func paths(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		for _, m := range inBackticks.FindAllStringSubmatch(line, -1) {
			if name := strings.TrimSuffix(m[1], "/..."); path.MatchString(name) {
				all = append(all, name)
			}
		}
		for _, m := range link.FindAllStringSubmatch(line, -1) {
			all = append(all, m[1])
		}
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPathsInTheDocumentsExist(t *testing.T) {
	for _, page := range pages {
		named := paths(read(t, page))
		if len(named) < 3 {
			t.Errorf("%s names only the paths %q: has its form changed?", page, named)
		}
		for _, name := range named {
			if _, err := os.Stat(name); err != nil {
				t.Errorf("%s names %q: %v", page, name, err)
			}
		}
	}
	if got := paths("`internal/none` and [x](gone.md), `internal/new`\n"); len(got) != 3 {
		t.Errorf("paths of the probe: %q", got)
	}
}

// packages are the folders of the module that hold Go files.
func packages(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || name == "build" || name == "tools"):
			return fs.SkipDir
		case strings.HasSuffix(name, ".go") && strings.Contains(name, "/"):
			found[filepath.ToSlash(filepath.Dir(name))] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !found["s3put"] || !found["internal/archive"] {
		t.Fatalf("found only the packages %v", found)
	}
	return found
}

// Every package has its line: a row of a table that begins with it.
func TestTheArchitectureNamesEveryPackage(t *testing.T) {
	page := read(t, "ARCHITECTURE.md")
	for name := range packages(t) {
		if !strings.Contains(page, "\n| `"+name+"` | ") {
			t.Errorf("ARCHITECTURE.md has no line for the package %s", name)
		}
	}
}

// sources are the parsed files of a package that are no tests, but for what is
// made of tests alone.
func sources(t *testing.T, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	isTest := func(name string) bool { return strings.HasSuffix(name, "_test.go") }
	if slices.ContainsFunc(names, func(name string) bool { return !isTest(name) }) {
		names = slices.DeleteFunc(names, isTest)
	}
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}

func TestEveryPackageSaysWhatItPromises(t *testing.T) {
	for name := range packages(t) {
		if !slices.ContainsFunc(sources(t, name), func(f *ast.File) bool { return f.Doc.Text() != "" }) {
			t.Errorf("%s has no package comment", name)
		}
	}
}

// The driver's packages are listed so that each imports only what stands below it.
func TestTheDriverIsListedFromMainToTheGround(t *testing.T) {
	_, page, _ := strings.Cut(read(t, "ARCHITECTURE.md"), "\n## The driver\n")
	page, _, _ = strings.Cut(page, "\n## ")
	rows := regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\| ").FindAllStringSubmatch(page, -1)
	if len(rows) < 20 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	above := map[string]bool{}
	for _, row := range rows {
		above[row[1]] = true
		for _, f := range sources(t, row[1]) {
			for _, i := range f.Imports {
				if name := strings.TrimPrefix(strings.Trim(i.Path.Value, `"`), "napback/"); above[name] {
					t.Errorf("%s imports %s, which stands above it", row[1], name)
				}
			}
		}
	}
}

// The README's first screen names the tools and what is under internal/ by
// themselves, and the packages of napback by their last names.
func TestTheReadmeNamesEveryPackage(t *testing.T) {
	page := read(t, "README.md")
	for name := range packages(t) {
		short, ofNapback := strings.CutPrefix(name, "napback/")
		if !strings.Contains(page, "`"+name+"`") && !(ofNapback && strings.Contains(page, "`"+short+"`")) && name != "scripts" {
			t.Errorf("README.md does not name the package %s", name)
		}
	}
}

// The license is the text of the Apache Software Foundation, and every manual
// and the README tell of it.
func TestTheLicenseIsStated(t *testing.T) {
	license := read(t, "LICENSE")
	for _, want := range []string{"Apache License\n", "Version 2.0, January 2004", "END OF TERMS AND CONDITIONS", "Copyright 2026 The napback authors"} {
		if !strings.Contains(license, want) {
			t.Errorf("LICENSE lacks %q", want)
		}
	}
	manuals, err := filepath.Glob("man/*.[157]")
	if err != nil || len(manuals) < 9 {
		t.Fatalf("manuals %q, %v", manuals, err)
	}
	for _, page := range append(manuals, "README.md", "CONTRIBUTING.md") {
		if !strings.Contains(read(t, page), "Apache License, version 2.0") {
			t.Errorf("%s does not state the license", page)
		}
	}
}
