//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"napback/internal/slot"
	"napback/internal/tooltest"
)

// Each directive that becomes a program's option is seen in what would be run.
func TestDirectivesReachThePrograms(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.write("a", "1")
	keys, list := filepath.Join(s.dir, "s3.key"), filepath.Join(s.dir, "patterns")
	s.must(os.WriteFile(keys, []byte("key=a\nsecret=b\n"), 0o600))
	s.must(os.WriteFile(list, []byte("from-a-file\n"), 0o600))
	elsewhere := filepath.Join(s.dir, "elsewhere")
	s.must(os.MkdirAll(filepath.Join(elsewhere, "bk"), 0o755))
	for text, want := range map[string][]string{
		"ChunkSize 5M":                 {" -z 5000000 "},
		"Concurrency 3":                {" -c 3 "},
		"Memory 64MiB":                 {" --memory 67108864 "},
		"Spool " + s.dir:               {" --spool " + s.dir + " "},
		"BandwidthLimit 2M":            {" --bwlimit 2000000 "},
		"StorageClass STANDARD_IA":     {" --storage-class STANDARD_IA "},
		"SSE AES256":                   {" --sse AES256 "},
		"SSE aws:kms\nSSEKMSKey key/1": {" --sse aws:kms --sse-kms-key key/1 "},
		"NeverDie on\nRetryWait 90s":   {" -n --retry-wait 1m30s "},
		"NeverDie off":                 {"!--retry-wait", "! -n -m"},
		"Profile ann":                  {" --profile ann "},
		"S3KeyFile " + keys:            {" -K " + keys + " "},
		"SignKey " + keys + "\nSignPassphraseFile " + list: {" --sign-key " + keys + " --sign-passphrase-file " + list + " "},
		"Region eu-central-1":                              {" --region eu-central-1 "},
		"PathStyle off":                                    {" --path-style off "},
		"Endpoint file://" + elsewhere:                     {" --endpoint file://" + elsewhere + " "},
		"Prefix %h/x":                                      {" bk:" + host + "/x/job-0-FULL"},
		"Compression none":                                 {"!zstd", "compression=none"},
		"Exclude /x/y\nExclude *.o":                        {"--anchored --exclude=x/y", "'--exclude=*.o'"},
		"ExcludeFrom " + list:                              {"from-a-file"},
		"OneFileSystem on":                                 {" --one-file-system "},
		"TarOptions --exclude-caches --totals":             {" --exclude-caches --totals "},
		"UseTempFile on\nTempDir " + s.dir:                 {" >" + s.dir + "/"},
		"Timeout 1h\nNice 3":                               {"nice -n 3 "},
		"RunBefore mount /x":                               {"# before it: mount /x\n"},
		"RunAfter 'a b' c":                                 {"# after it: 'a b' c\n"},
		"RunOnFailure c":                                   {"# if it fails: c\n"},
	} {
		s.configure(s.block(strings.Split(text, "\n")...))
		out := s.napback(0, day(0), "-t").out
		for _, w := range want {
			if text, absent := strings.CutPrefix(w, "!"); strings.Contains(out, text) == absent {
				t.Errorf("%q: want %q in\n%s", text, w, out)
			}
		}
	}
}

func TestSchedulesOfTheConfigurationDecide(t *testing.T) {
	for text, schedule := range map[string]slot.Schedule{
		"Diffs 6\nFulls 4":                            slot.Simple{Frequency: 1, Diffs: 6, Fulls: 4},
		"Frequency 3\nPhase 2\nDiffs 1\nFulls 5":      slot.Simple{Frequency: 3, Phase: 2, Diffs: 1, Fulls: 5},
		"CycleType HanoiCycle\nDiscs 3":               slot.Hanoi{Frequency: 1, Discs: 3},
		"CycleType HanoiCycle\nArchiveOldestDisc yes": slot.Hanoi{Frequency: 1, Discs: 5, ArchiveOldest: true},
	} {
		s := newSite(t)
		s.write("a", "1")
		s.configure("<Directory " + s.source + ">\nName job\n" + text + "\n</Directory>\n")
		for n := range 9 {
			date, err := slot.ParseDate(day(n))
			s.must(err)
			want, due := schedule.Slot(date)
			line := fmt.Sprintf("slot %d, ", want.Number)
			if !due {
				line = ", not due\n"
			}
			if out := s.napback(0, day(n), "-t").out; !strings.Contains(out, line) {
				t.Errorf("%q on %s: want %q in\n%s", text, day(n), line, out)
			}
		}
	}
}

// machine is the block of s3napback's manual, as it stands there; only the end
// of the block is not left out.
const machine = `# backup an entire machine
<Directory />
	Frequency 1
	Diffs 6
	Fulls 8

	Exclude /proc
	Exclude /dev
	Exclude /sys
	Exclude /tmp
	Exclude /var/run
</Directory>
`

// An entire machine: a small one, whose root is the root of the test's napback,
// with /proc, /dev and /sys mounted. The configuration is named by a word.
func TestAnEntireMachine(t *testing.T) {
	tooltest.NeedsRoot(t, "makes a machine")
	s := newSite(t)
	root := filepath.Join(s.dir, "root")
	s.must(os.MkdirAll(filepath.Join(root, "etc/napback"), 0o755))
	stays := []string{"etc/hostname", "home/ann/proc/x", "home/ann/tmp/x", "var/runner", "var/log/messages", "srv/sys", "tmpfile", "root/dev/null"}
	goes := []string{"proc/x", "dev/x", "sys/x", "tmp/x", "tmp/deep/er/x", "var/run/x.pid"}
	for _, f := range append(slices.Clone(stays), goes...) {
		s.must(os.MkdirAll(filepath.Dir(filepath.Join(root, f)), 0o755))
		s.must(os.WriteFile(filepath.Join(root, f), []byte(f), 0o644))
	}
	for _, d := range []string{"tmp/store/bk", "tmp/tools", "var/lib/napback"} {
		s.must(os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	// The programs of this machine are lent to it, and no part of it.
	borrowed := []string{"/usr", "/bin", "/lib", "/lib64"}
	s.must(os.WriteFile(filepath.Join(root, "etc/napback/machine.conf"),
		[]byte("Bucket bk\nEndpoint file:///tmp/store\nDiffDir /var/lib/napback\nExclude "+strings.Join(borrowed, "\nExclude ")+"\n"+machine), 0o600))
	script := `mount --bind "$2" "$1/tmp/tools"
		for d in ` + strings.Join(borrowed, " ") + ` /proc /dev /sys; do [ ! -e "$d" ] || { mkdir -p "$1$d"; mount --bind "$d" "$1$d"; }; done
		exec chroot "$1" /tmp/tools/napback --date "$3" machine`
	run := func(n int) {
		t.Helper()
		cmd := inMountNamespace(t, script, root, binDir(t), day(n))
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "ROOT-") {
			t.Fatalf("%v: %s", err, out)
		}
	}
	run(0)
	s.must(os.WriteFile(filepath.Join(root, "srv/later"), []byte("later"), 0o644))
	s.must(os.Remove(filepath.Join(root, "srv/sys")))
	run(1)
	s.store = filepath.Join(root, "tmp/store")
	s.configure("Directory /\n")
	to := filepath.Join(s.dir, "restored")
	s.napback(0, day(1), "restore", "--to", to, "ROOT")
	want := append(slices.DeleteFunc(stays, func(f string) bool { return f == "srv/sys" }), "srv/later", "etc/napback/machine.conf")
	var got []string
	for f := range tree(t, to) {
		if info, err := os.Lstat(filepath.Join(to, f)); err == nil && info.Mode().IsRegular() {
			got = append(got, f)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %q; want %q", got, want)
	}
}
