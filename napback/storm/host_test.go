//go:build linux

package storm

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// schedule is that of a host's only job.
type schedule struct{ diffs, fulls, frequency int }

func (s schedule) slots() int { return s.fulls * (s.diffs + 1) }

// host is a machine that backs up one directory.
type host struct {
	w       *world
	id      int    // in the test; never changes
	name    string // what it is called
	prefix  string
	bucket  string
	plan    schedule
	jump    time.Duration // its clock is wrong by that
	machine string        // content of its machine-id
	family  int           // hosts that had one DiffDir once
	shares  map[*host]int // attempts of other hosts, before a number, that are in the history of its DiffDir
	copies  int           // of its DiffDir
	day     int           // when it had its last turn
	slow    bool          // its line
	lost    bool          // it may have no state of where it stores, and nothing was acknowledged since
	losses  int           // of its state
	mutant
}

// addHost makes a host. Its archives begin with prefix.
func (w *world) addHost(name, prefix string) *host {
	w.t.Helper()
	h := &host{w: w, id: w.ids, name: name, prefix: prefix, bucket: "one",
		plan: schedule{3, 2, 1}, family: w.ids, shares: map[*host]int{}}
	w.ids++
	h.machine = fmt.Sprintf("%032x\n", w.rng.Uint64())
	w.hosts = append(w.hosts, h)
	w.must(os.Mkdir(h.home(), 0o755))
	for _, dir := range []string{"src", "diffs", "old"} {
		w.must(os.Mkdir(filepath.Join(h.home(), dir), 0o755))
	}
	w.install(filepath.Join(h.home(), "bin"))
	h.firstTree()
	w.tell("%s: a host named %s, prefix %q", h, name, prefix)
	return h
}

// home is where the host's files are while it does nothing. When it works they
// are in a place that is the same for all hosts, as they would be on machines.
func (h *host) home() string { return h.w.home(h.id) }

func (w *world) home(id int) string { return filepath.Join(w.root, "hosts", fmt.Sprint(id)) }

func (h *host) source() string { return filepath.Join(h.home(), "src") }

// label is what all of the host's archives have in common.
func (h *host) label() string {
	return h.bucket + ":" + strings.TrimPrefix(strings.ReplaceAll(h.prefix, "%h", h.name)+"/job", "/")
}

// clone makes a machine with everything that the host has, and another name
// if it is given.
func (h *host) clone(name string) *host {
	w := h.w
	c := *h
	c.id = w.ids
	w.ids++
	c.shares = maps.Clone(h.shares)
	c.shares[h] = len(w.attempts)
	if name != "" {
		c.name = name
	}
	w.hosts = append(w.hosts, &c)
	w.must(run("cp", "-a", h.home(), c.home()))
	w.must(os.RemoveAll(filepath.Join(c.home(), "bin")))
	w.install(filepath.Join(c.home(), "bin"))
	w.count["clones"]++
	w.tell("%s: cloned from %s, named %s", &c, h, c.name)
	return &c
}

// die ends a host. What it has stored stays.
func (h *host) die() {
	h.w.hosts = slices.DeleteFunc(h.w.hosts, func(other *host) bool { return other == h })
	h.w.count["deaths"]++
	h.w.tell("%s: is gone for ever", h)
}

func (h *host) String() string { return fmt.Sprintf("host %d", h.id) }

// loseState empties the DiffDir.
func (h *host) loseState() {
	h.w.must(os.RemoveAll(filepath.Join(h.home(), "diffs")))
	h.w.must(os.Mkdir(filepath.Join(h.home(), "diffs"), 0o755))
	h.lost, h.losses = true, h.losses+1
	h.w.count["states lost"]++
	h.w.tell("%s: state lost", h)
}

// keepState makes a copy of the DiffDir.
func (h *host) keepState() {
	h.copies++
	h.w.must(run("cp", "-a", filepath.Join(h.home(), "diffs"), filepath.Join(h.home(), "old", fmt.Sprint(h.copies))))
	h.w.tell("%s: state copied as %d", h, h.copies)
}

// oldState puts a copy of the DiffDir back.
func (h *host) oldState(copy int) {
	h.w.must(os.RemoveAll(filepath.Join(h.home(), "diffs")))
	h.w.must(run("cp", "-a", filepath.Join(h.home(), "old", fmt.Sprint(copy)), filepath.Join(h.home(), "diffs")))
	h.lost, h.losses = true, h.losses+1
	h.w.count["old states"]++
	h.w.tell("%s: state taken from copy %d", h, copy)
}

func (h *host) rename(name string) {
	h.name, h.lost = name, true
	h.w.count["renames"]++
	h.w.tell("%s: renamed to %s", h, name)
}

func (h *host) clock(jump time.Duration) {
	if jump != h.jump {
		h.w.count["clock jumps"]++
	}
	h.jump = jump
	h.w.tell("%s: clock wrong by %v hours", h, jump.Hours())
}

func (h *host) schedule(s schedule) {
	h.plan = s
	h.w.count["schedules changed"]++
	h.w.tell("%s: schedule %+v", h, s)
}

func (h *host) move(bucket string) {
	h.bucket, h.lost = bucket, true
	h.w.count["bucket moves"]++
	h.w.tell("%s: bucket %s", h, bucket)
}

// configure writes what napback is told, for a home at a place.
func (h *host) configure(place string) {
	w := h.w
	var b strings.Builder
	fmt.Fprintf(&b, "Bucket %s\nEndpoint %s\n", h.bucket, w.endpoint())
	if w.server != nil {
		fmt.Fprintf(&b, "S3KeyFile %s\nRegion %s\n", w.keys[h.bucket], w.server.Region)
	}
	if h.prefix != "" {
		fmt.Fprintf(&b, "Prefix %s\n", h.prefix)
	}
	if h.slow {
		b.WriteString("BandwidthLimit 200k\n")
	}
	fmt.Fprintf(&b, "DiffDir %s/diffs\nNeverDie off\nChunkSize 5000\nCompression zstd\nDiffs %d\nFulls %d\nFrequency %d\n", place, h.plan.diffs, h.plan.fulls, h.plan.frequency)
	fmt.Fprintf(&b, "<Directory %s/src>\n  Name job\n</Directory>\n", place)
	w.must(os.WriteFile(filepath.Join(place, "napback.conf"), []byte(b.String()), 0o600))
	w.must(os.WriteFile(filepath.Join(place, "machine-id"), []byte(h.machine), 0o644))
	w.must(os.WriteFile(filepath.Join(place, "bin", machineFile),
		fmt.Appendf(nil, "clock=%d\nname=%s\nmachine-id=%s/machine-id\n", int((w.ahead()+h.jump).Seconds()), h.name, place), 0o644))
}

// place is where a host works.
func (w *world) place() string { return filepath.Join(w.root, "host") }

// enter brings a host to the place where it works, and returns how it leaves.
func (h *host) enter() (leave func()) {
	h.w.must(os.Rename(h.home(), h.w.place()))
	h.configure(h.w.place())
	return func() { h.w.must(os.Rename(h.w.place(), h.home())) }
}

// call is one of the tools, as the host runs it.
func (h *host) call(place, tool string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(place, "bin", tool), args...)
	cmd.Env = append(h.w.env(), "PATH="+filepath.Join(place, "bin")+":"+os.Getenv("PATH"))
	return cmd
}

// ask runs napback with a sub-command and returns its stdout.
func (h *host) ask(args ...string) (string, error) {
	defer h.enter()()
	place := h.w.place()
	cmd := h.call(place, "napback", append([]string{"-c", filepath.Join(place, "napback.conf")}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("napback %q: %w\n%s", args, err, stderr.String())
	}
	return string(out), err
}

// run runs a program that has to succeed.
func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w\n%s", name, args, err, out)
	}
	return nil
}

// exitCode is the status of a program; 128 and the signal's number for one that
// was killed.
func exitCode(cmd *exec.Cmd, err error) int {
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return -1
	}
	return cmd.ProcessState.ExitCode()
}
