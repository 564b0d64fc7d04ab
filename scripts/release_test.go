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

// project is a git repository with all that makes a release, and tools that do nothing.
type project struct {
	t   *testing.T
	dir string
}

func newProject(t *testing.T) project {
	t.Helper()
	storetest.NotQuick(t, "builds releases")
	p := project{t, t.TempDir()}
	files := map[string]string{
		"go.mod": "module napback\n\ngo 1.24\n", ".gitignore": "/build/\n", "README.md": "readme\n",
		"CHANGELOG.md": "# Changelog\n\n## v1.2.3\n\n- all\n",
	}
	for _, tool := range []string{"s3put", "s3get", "s3ls", "s3rm", "slotcalc", "pgpipe", "napback"} {
		files[tool+"/main.go"] = "package main\n\nfunc main() {}\n"
	}
	for name, content := range files {
		p.write(name, content)
	}
	p.copy("Makefile", "LICENSE", "man", "scripts", "internal/cli/completion", "tools/nfpm")
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

// copy copies files and folders of ours.
func (p project) copy(names ...string) {
	p.t.Helper()
	for _, name := range names {
		to := filepath.Join(p.dir, filepath.Dir(name))
		if err := os.MkdirAll(to, 0o755); err != nil {
			p.t.Fatal(err)
		}
		if out, err := exec.CommandContext(p.t.Context(), "cp", "-R", filepath.Join(storetest.Root(p.t), name), to).CombinedOutput(); err != nil {
			p.t.Fatalf("copy: %v\n%s", err, out)
		}
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

// make makes a target for some systems.
func (p project) make(target, systems string) (said string, ok bool) {
	p.t.Helper()
	cmd := exec.CommandContext(p.t.Context(), "make", "-C", p.dir, target)
	cmd.Env = append(os.Environ(), "PACKAGE_TARGETS="+systems, "GOFLAGS=-buildvcs=false")
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// mustMake makes it, and returns the sums of what was made.
func (p project) mustMake(target, systems string) string {
	p.t.Helper()
	if said, ok := p.make(target, systems); !ok {
		p.t.Fatal(said)
	}
	sums, err := os.ReadFile(filepath.Join(p.dir, "build", target, "SHA256SUMS"))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(sums)
}

// clone is another clone, at another time and place.
func (p project) clone() project {
	again := project{p.t, filepath.Join(p.t.TempDir(), "deeper", "clone")}
	p.git("clone", "--quiet", p.dir, again.dir)
	return again
}

func TestAReleaseHoldsWhatIsTaggedAndIsTheSameAgain(t *testing.T) {
	p := newProject(t)
	p.git("tag", "-a", "v1.2.3", "-m", "v1.2.3")
	unix, windows := "napback-v1.2.3-"+runtime.GOOS+"-"+runtime.GOARCH, "napback-v1.2.3-windows-amd64"
	systems := runtime.GOOS + "/" + runtime.GOARCH + " windows/amd64"
	sums := p.mustMake("release", systems)
	for _, name := range []string{unix + ".tar.gz", windows + ".zip", "napback_1.2.3_" + runtime.GOARCH + ".deb", ".rpm"} {
		if runtime.GOOS == "linux" && strings.Count(sums, name+"\n") != 1 {
			t.Errorf("SHA256SUMS has no %s: %s", name, sums)
		}
	}
	p.holds(unix, "tar", "-tzf", unix+".tar.gz", "bin/s3put", "bin/napback", "bin/pgpipe", "bin/slotcalc", "share/man/man1/s3put.1",
		"share/doc/napback/README.md", "share/doc/napback/copyright", "share/doc/napback/CHANGELOG.md", "share/napback/restore.sh",
		"share/napback/LICENSE", "lib/systemd/system/napback.service", "share/zsh/site-functions/_napback")
	list := p.holds(windows, "unzip", "-Z1", windows+".zip", "s3put.exe", "s3rm.exe", "pgpipe.exe", "slotcalc.exe", "man/s3put.md", "LICENSE", "README.md", "copyright")
	if strings.Contains(list, "napback.exe") {
		t.Errorf("napback does not run on Windows: %s", list)
	}
	if again := p.clone().mustMake("release", systems); again != sums {
		t.Errorf("another clone gives\n%safter\n%s", again, sums)
	}
}

// holds lists a package, and looks for files in its folder.
func (p project) holds(folder, program, flag, file string, names ...string) string {
	p.t.Helper()
	list, err := exec.CommandContext(p.t.Context(), program, flag, filepath.Join(p.dir, "build/release", file)).Output()
	if err != nil {
		p.t.Fatalf("%s: %v", file, err)
	}
	for _, name := range names {
		if !slices.Contains(strings.Fields(string(list)), folder+"/"+name) {
			p.t.Errorf("%s is not in %s", name, list)
		}
	}
	return string(list)
}

func TestWhatIsNoReleaseIsRefused(t *testing.T) {
	p := newProject(t)
	refused := func(want string) {
		t.Helper()
		said, ok := p.make("release", runtime.GOOS+"/"+runtime.GOARCH)
		if ok || !strings.Contains(said, "package: error: ") || !strings.Contains(said, want) {
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
