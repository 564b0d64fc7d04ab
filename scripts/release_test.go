package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"napback/internal/storetest"
)

// project is a git repository with the files of a release, and tools that do nothing.
type project struct {
	t   *testing.T
	dir string
}

func newProject(t *testing.T) project {
	t.Helper()
	storetest.NotQuick(t, "builds releases")
	p := project{t, t.TempDir()}
	files := map[string]string{
		"go.mod": "module napback\n\ngo 1.24\n", ".gitignore": "/build/\n", "LICENSE": "license\n", "README.md": "readme\n",
		"CHANGELOG.md": "# Changelog\n\n## v1.2.3\n\n- all\n", "man/s3put.1": "page\n", "scripts/restore.sh": "#!/bin/sh\n",
		"scripts/release.sh": text(t, "scripts", "release.sh"),
	}
	for _, tool := range []string{"s3put", "s3get", "s3ls", "s3rm", "slotcalc", "pgpipe", "napback"} {
		files[tool+"/main.go"] = "package main\n\nfunc main() {}\n"
	}
	for name, content := range files {
		p.write(name, content)
	}
	p.git("init", "--quiet")
	p.commit()
	return p
}

func (p project) write(name, content string) {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		p.t.Fatal(err)
	}
}

func (p project) git(args ...string) {
	p.t.Helper()
	args = append([]string{"-C", p.dir, "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgSign=false", "-c", "tag.gpgSign=false"}, args...)
	if out, err := exec.CommandContext(p.t.Context(), "git", args...).CombinedOutput(); err != nil {
		p.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
}

func (p project) commit() {
	p.t.Helper()
	p.git("add", "--all")
	p.git("commit", "--quiet", "--allow-empty", "-m", "change")
}

// release runs the recipe for this system alone.
func (p project) release() (said string, ok bool) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "sh", filepath.Join(p.dir, "scripts/release.sh"), "scripts/restore.sh")
	cmd.Env = append(os.Environ(), "RELEASE_TARGETS="+runtime.GOOS+"/"+runtime.GOARCH, "GOFLAGS=-buildvcs=false")
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestAReleaseHoldsWhatIsTaggedAndIsTheSameAgain(t *testing.T) {
	p := newProject(t)
	p.git("tag", "-a", "v1.2.3", "-m", "v1.2.3")
	if said, ok := p.release(); !ok {
		t.Fatal(said)
	}
	sums := filepath.Join(p.dir, "build/release/SHA256SUMS")
	first, err := os.ReadFile(sums)
	if err != nil {
		t.Fatal(err)
	}
	name := "napback-v1.2.3-" + runtime.GOOS + "-" + runtime.GOARCH
	if !strings.HasSuffix(string(first), "  "+name+".tar.gz\n") || strings.Count(string(first), "\n") != 1 {
		t.Errorf("SHA256SUMS: %s", first)
	}
	list, err := exec.CommandContext(t.Context(), "tar", "-tzf", filepath.Join(p.dir, "build/release", name+".tar.gz")).Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Fields(string(list))
	for _, want := range []string{"bin/s3put", "bin/napback", "bin/pgpipe", "bin/slotcalc", "man/s3put.1", "LICENSE", "README.md", "CHANGELOG.md", "scripts/restore.sh"} {
		if !slices.Contains(got, name+"/"+want) {
			t.Errorf("%s is not in %q", want, got)
		}
	}
	// Another clone, at another time and place, gives the same bytes.
	again := project{t, filepath.Join(t.TempDir(), "deeper", "clone")}
	p.git("clone", "--quiet", p.dir, again.dir)
	if said, ok := again.release(); !ok {
		t.Fatal(said)
	}
	if second, err := os.ReadFile(filepath.Join(again.dir, "build/release/SHA256SUMS")); err != nil || string(second) != string(first) {
		t.Errorf("%v: another clone gives\n%safter\n%s", err, second, first)
	}
}

func TestWhatIsNoReleaseIsRefused(t *testing.T) {
	p := newProject(t)
	refused := func(want string) {
		t.Helper()
		said, ok := p.release()
		if ok || !strings.Contains(said, "release: error: ") || !strings.Contains(said, want) {
			t.Errorf("want %q: %v, %s", want, ok, said)
		}
		if _, err := os.Stat(filepath.Join(p.dir, "build/release/SHA256SUMS")); err == nil {
			t.Error("there is a release")
		}
	}
	refused("has no tag")
	p.git("tag", "v1.2.3")
	p.write("stray", "x")
	refused("not clean")
	p.commit()
	refused("has no tag")
	p.git("tag", "v1.2.4")
	refused(`CHANGELOG.md has no section "## v1.2.4"`)
	p.commit()
	p.git("tag", "v1.2")
	refused(`the tag "v1.2" is no version`)
	p.write("CHANGELOG.md", "## v2.0.0\n")
	p.commit()
	p.git("tag", "v2.0.0")
	refused("does not bear the version v2.0.0") // the module's path would need /v2
}
