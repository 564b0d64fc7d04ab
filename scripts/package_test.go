package scripts

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// machine is an empty Debian: a folder with dpkg's records, in which nothing but tar
// is installed, and even that in name only. Programs run with it as their root.
type machine struct {
	*job
	root string
}

func newMachine(t *testing.T) *machine {
	m := &machine{&job{t: t, env: append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")}, t.TempDir()}
	for _, dir := range []string{"info", "updates", "triggers", "parts"} {
		if err := os.MkdirAll(m.path("var/lib/dpkg", dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m.write("var/lib/dpkg/status", "")
	return m
}

func (m *machine) path(names ...string) string {
	return filepath.Join(append([]string{m.root}, names...)...)
}

func (m *machine) write(name, content string) {
	m.t.Helper()
	if err := os.WriteFile(m.path(name), []byte(content), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// has looks for a file and what is in it.
func (m *machine) has(name, content string) {
	m.t.Helper()
	if got, err := os.ReadFile(m.path(name)); err != nil || !strings.Contains(string(got), content) {
		m.t.Errorf("%s: %v, %.200q", name, err, got)
	}
}

func (m *machine) hasNot(names ...string) {
	m.t.Helper()
	for _, name := range names {
		if _, err := os.Lstat(m.path(name)); err == nil {
			m.t.Errorf("%s is there", name)
		}
	}
}

func (m *machine) dpkg(status int, args ...string) string {
	m.t.Helper()
	// There is no shell inside: the package's own scripts run outside, and are told so.
	args = append([]string{"--root=" + m.root, "--force-script-chrootless", "--force-bad-path"}, args...)
	return m.run(status, tooltest.System(m.t, "dpkg"), args...)
}

// inside runs an installed program.
func (m *machine) inside(input string, args ...string) string {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), tooltest.System(m.t, "chroot"), append([]string{m.root}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("%q: %v", args, err)
	}
	return string(out)
}

// newer makes a later package of an older one, with another example.
func (m *machine) newer(deb, version string) string {
	m.t.Helper()
	dir, to := m.t.TempDir(), filepath.Join(m.t.TempDir(), "newer.deb")
	m.run(0, "dpkg-deb", "-R", deb, dir)
	m.run(0, "sh", "-euc", `sed -i "s/^Version: .*/Version: $2/" "$1/DEBIAN/control"
		echo "# of $2" >>"$1/etc/napback/napback.conf.example"
		rm "$1"/usr/bin/s3* # to be quick
		dpkg-deb -Zgzip -z1 -b "$1" "$3"`, "sh", dir, version, to)
	return to
}

// The package is built of what is in this tree, installed, used, upgraded, removed
// and purged by dpkg. Another clone gives the same bytes.
func TestThePackageIsInstalledUsedAndRemoved(t *testing.T) {
	storetest.NotQuick(t, "builds packages")
	if !tooltest.AsRoot(t) {
		return
	}
	p := project{t, t.TempDir()}
	entries, err := os.ReadDir(storetest.Root(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != ".git" && e.Name() != "build" {
			p.copy(e.Name())
		}
	}
	p.git("init", "--quiet")
	p.commit()
	system := "linux/" + runtime.GOARCH
	sums := p.mustMake("package", system)
	if again := p.clone().mustMake("package", system); again != sums {
		t.Errorf("another clone gives\n%safter\n%s", again, sums)
	}
	one := func(pattern string) string {
		found, err := filepath.Glob(filepath.Join(p.dir, "build/package", pattern))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", pattern, err, found)
		}
		return found[0]
	}
	m := newMachine(t)
	m.lifeOf(one("*.deb"))
	m.looksAtRPM(one("*.rpm"))
}

func (m *machine) lifeOf(deb string) {
	t := m.t
	if out := m.dpkg(1, "-i", deb); !strings.Contains(out, "depends on tar") {
		t.Errorf("without tar: %s", out)
	}
	m.write("var/lib/dpkg/status", "Package: tar\nStatus: install ok installed\nVersion: 1.34\nArchitecture: "+runtime.GOARCH+"\nMaintainer: x <x@x>\nDescription: tar\n")
	m.dpkg(0, "-i", deb)
	m.isInstalled()
	m.isUsed()

	example, own, state := "etc/napback/napback.conf.example", "etc/napback/napback.conf", "var/lib/napback/home.napback"
	m.dpkg(0, "-i", m.newer(deb, "8.0.0"))
	m.has(example, "# of 8.0.0")
	m.write(example, "# edited\n")
	m.write(own, "Bucket mine\n")
	m.write(state, "chain\n")
	m.dpkg(0, "--force-confold", "-i", m.newer(deb, "9.0.0"))
	m.has(example, "# edited")
	m.has(example+".dpkg-dist", "# of 9.0.0")

	m.dpkg(0, "--remove", "napback")
	m.hasNot("usr/bin/napback", "usr/lib/systemd/system/napback.timer", "usr/share/man/man1/napback.1.gz", "usr/share/napback")
	m.has(example, "# edited")
	m.has(state, "chain")
	m.dpkg(0, "--purge", "napback")
	m.hasNot(example, "var/log/napback")
	m.has(own, "Bucket mine")
	m.has(state, "chain")
	if status, err := os.ReadFile(m.path("var/lib/dpkg/status")); err != nil || strings.Contains(string(status), "Package: napback") {
		t.Errorf("dpkg still knows it: %v, %s", err, status)
	}
}

// isInstalled looks at what people and programs look for, and where they do.
func (m *machine) isInstalled() {
	m.has("usr/lib/systemd/system/napback.service", "ExecStart=/usr/bin/napback -c")
	m.has("usr/lib/systemd/system/napback-alarm@.service", "ExecStart=")
	m.has("usr/share/napback/napback.cron", "root /usr/bin/napback -c")
	m.has("usr/share/bash-completion/completions/s3put", "complete -F _complete_s3put s3put")
	m.has("usr/share/zsh/vendor-completions/_napback", "#compdef napback")
	m.has("usr/share/fish/vendor_completions.d/pgpipe.fish", "complete -c pgpipe")
	m.has("usr/share/doc/napback/copyright", "github.com/aws/aws-sdk-go-v2 v")
	m.has("usr/share/doc/napback/copyright", "The Go Authors")
	for dir, mode := range map[string]os.FileMode{"etc/napback": 0o755, "var/lib/napback": 0o700, "var/log/napback": 0o700} {
		if info, err := os.Stat(m.path(dir)); err != nil || info.Mode().Perm() != mode {
			m.t.Errorf("%s: %v, %v", dir, err, info)
		}
	}
	// No configuration that something would run by.
	m.hasNot("etc/napback/napback.conf", "etc/cron.d", "etc/systemd")
	for _, tool := range []string{"s3put", "s3get", "s3ls", "s3rm", "slotcalc", "pgpipe", "napback"} {
		if out := m.run(0, tooltest.System(m.t, "mman"), "-M", m.path("usr/share/man"), "-w", tool); !strings.HasSuffix(strings.TrimSpace(out), tool+".1.gz") {
			m.t.Errorf("manual of %s: %s", tool, out)
		}
		program, err := elf.Open(m.path("usr/bin", tool))
		if err != nil {
			m.t.Error(err)
			continue
		}
		if symbols, _ := program.Symbols(); len(symbols) > 0 || program.Section(".debug_info") != nil {
			m.t.Errorf("%s is not stripped", tool)
		}
		program.Close()
	}
}

// isUsed backs up and restores with nothing but what is installed.
func (m *machine) isUsed() {
	for _, dir := range []string{"mnt", "dev", "tmp"} {
		if err := os.MkdirAll(m.path(dir), 0o755); err != nil {
			m.t.Fatal(err)
		}
	}
	m.inside("what matters", "/usr/bin/s3put", "--endpoint", "file:///mnt", "--create-bucket", "b:n")
	if got := m.inside("", "/usr/bin/s3get", "--endpoint", "file:///mnt", "b:n"); got != "what matters" {
		m.t.Errorf("back comes %q", got)
	}
	if got := m.inside("", "/usr/bin/napback", "--version"); !strings.HasPrefix(got, "napback ") {
		m.t.Errorf("napback --version: %q", got)
	}
	if got := m.inside("", "/usr/bin/napback", "--complete", "resto"); !strings.HasPrefix(got, "restore\t") {
		m.t.Errorf("napback --complete resto: %q", got)
	}
}

func (m *machine) looksAtRPM(rpm string) {
	query := func(what ...string) string {
		m.t.Helper()
		return m.run(0, tooltest.System(m.t, "rpm"), append([]string{"-qp", "--nosignature", "--dbpath", m.path("rpm")}, append(what, rpm)...)...)
	}
	m.run(0, tooltest.System(m.t, "rpm"), "--dbpath", m.path("rpm"), "-K", "--nosignature", rpm)
	files := query("--queryformat", `[%{FILEMODES:perms} %{FILEUSERNAME} %{FILENAMES}\n]`)
	for _, want := range []string{"-rwxr-xr-x root /usr/bin/napback\n", "drwx------ root /var/lib/napback\n", "-rw-r--r-- root /usr/share/man/man1/napback.1.gz\n",
		"-rw-r--r-- root /usr/share/zsh/site-functions/_napback\n", "-rw-r--r-- root /usr/lib/systemd/system/napback.timer\n"} {
		if !strings.Contains(files, want) {
			m.t.Errorf("no %q in %s", want, files)
		}
	}
	for what, want := range map[string]string{"--configfiles": "/etc/napback/napback.conf.example\n", "--requires": "tar\n", "--recommends": "zstd\n"} {
		if got := query(what); !strings.Contains(got, want) {
			m.t.Errorf("%s: %s", what, got)
		}
	}
	if strings.Contains(files, " /usr/bin\n") {
		m.t.Errorf("folders of the system are the package's: %s", files)
	}
}
