//go:build linux

package storm

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"napback/napback/treetest"
)

// attempt is one call of napback, and the copy of the source of that moment.
type attempt struct {
	number  int
	host    *host
	label   string
	date    string // today, as the host sees it
	ahead   bool   // its clock was more than a day ahead
	dated   bool   // with --date
	kill    *kill
	hurt    bool // something was in its way
	apart   bool // its source was at a path of its own: to napback another source
	want    map[string]string
	copy    string
	code    int
	out     string
	stderr  string
	outcome string
	made    []*commit // new commits; of two attempts at once, of both
	gone    []string  // what was committed before and is not there any more
}

// options of an attempt.
type options struct {
	force bool
	date  string // --date
	kill  *kill
	cut   func() // damages the line to the server
	hurt  bool   // something else is in its way
}

// marker is the file in a source that names the attempt.
const marker = ".attempt"

// begin freezes the source: nothing changes it until the attempt has ended.
func (h *host) begin(o options) *attempt {
	w := h.w
	a := &attempt{number: len(w.attempts), host: h, label: h.label(), kill: o.kill, hurt: o.hurt || o.cut != nil || o.kill != nil, dated: o.date != ""}
	w.attempts = append(w.attempts, a)
	h.adopt(a.number)
	// Enough for several chunks, however little has changed.
	payload := make([]byte, 40_000)
	for i := range payload {
		payload[i] = byte(w.rng.Uint32())
	}
	w.must(os.WriteFile(filepath.Join(h.source(), marker), append(fmt.Appendf(nil, "%d\n", a.number), payload...), 0o644))
	a.copy = filepath.Join(w.root, "oracle", fmt.Sprint(a.number))
	w.must(os.MkdirAll(a.copy, 0o755))
	w.must(run("cp", "-a", h.source()+"/.", a.copy))
	a.want = w.tree(a.copy)
	if d := treetest.Difference(w.tree(h.source()), a.want); d != "" {
		w.t.Fatalf("the oracle is wrong:\n%s", d)
	}
	clock := time.Now().UTC().Add(w.ahead() + h.jump)
	if w.server != nil && h.jump.Abs() > oneDay {
		clock = time.Now().UTC() // by the server's clock, which is right
	}
	a.date = clock.Format(time.DateOnly)
	a.ahead = h.jump > 24*time.Hour && o.date == ""
	if o.date != "" {
		a.date = o.date
	}
	return a
}

// adopt lets a host without a state go on with all that is stored under the owner's
// id that it had: nobody can tell it from a clone of it.
func (h *host) adopt(before int) {
	for _, a := range h.w.attempts {
		if h.lost && a.host != h && a.host.family == h.family {
			h.shares[a.host] = before
		}
	}
}

// napback runs napback and judges what it did.
func (h *host) napback(o options) *attempt {
	w := h.w
	if o.date == "" && w.server != nil && h.jump == 0 {
		o.date = w.date()
	}
	a := h.begin(o)
	before := w.objects()
	h.slow = o.kill != nil && o.kill.when == uploading
	leave := h.enter()
	a.run(w.place(), o)
	leave()
	w.settle([]*attempt{a}, before)
	return a
}

// together runs napback on several hosts at once, each in a place of its own.
func (w *world) together(hosts ...*host) []*attempt {
	var all []*attempt
	for _, h := range hosts {
		o := options{}
		if w.server != nil && h.jump == 0 {
			o.date = w.date()
		}
		h.configure(h.home())
		a := h.begin(o)
		a.apart = true
		all = append(all, a)
	}
	before := w.objects()
	done := make(chan struct{})
	for _, a := range all {
		go func() {
			o := options{}
			if a.dated {
				o.date = a.date
			}
			a.run(a.host.home(), o)
			done <- struct{}{}
		}()
	}
	for range all {
		<-done
	}
	w.count["at once"]++
	w.settle(all, before)
	return all
}

// run runs napback at a place, and whatever is to disturb it.
func (a *attempt) run(place string, o options) {
	args := []string{"-c", filepath.Join(place, "napback.conf")}
	if o.date != "" {
		args = append(args, "--date", o.date)
	}
	if o.force {
		args = append(args, "-f")
	}
	cmd := a.host.call(place, "napback", args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var out, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &stderr
	cmd.WaitDelay = 30 * time.Second
	undo := a.kill.prepare(a, place)
	err := cmd.Start()
	if err == nil {
		stop, killed := make(chan struct{}), make(chan struct{})
		go func() {
			a.kill.watch(a.host.w, cmd.Process.Pid, stop)
			close(killed)
		}()
		if o.cut != nil {
			o.cut()
		}
		err = cmd.Wait()
		close(stop)
		<-killed
	}
	waitForNobody(place)
	undo()
	a.code, a.out, a.stderr = exitCode(cmd, err), out.String(), stderr.String()
	a.outcome = outcomeOf(a.out)
}

var outcomePattern = regexp.MustCompile(`(?m)^Directory \S+\s{2,}(\S+(?: \S+)*)\s{2,}`)

// outcomeOf is the job's state in the summary.
func outcomeOf(out string) string {
	if found := outcomePattern.FindStringSubmatch(out); found != nil {
		return found[1]
	}
	return ""
}

// waitForNobody waits for the tools that are left of a chain that was killed.
func waitForNobody(place string) {
	bin := filepath.Join(place, "bin") + "/"
	for {
		exes, _ := filepath.Glob("/proc/[0-9]*/exe")
		if !slices.ContainsFunc(exes, func(exe string) bool {
			path, err := os.Readlink(exe)
			return err == nil && strings.HasPrefix(path, bin)
		}) {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// acknowledged tells that napback said that the source is stored.
func (a *attempt) acknowledged() bool {
	return (a.code == 0 || a.code == 3) && (a.outcome == "ok" || a.outcome == "warnings")
}

// settle judges attempts that ran at the same time.
func (w *world) settle(attempts []*attempt, before map[string]*held) {
	after := w.objects()
	var made []*commit
	var gone []string
	left := false // chunks, and no manifest
	for address, h := range after {
		if b := before[address]; h.manifest && (b == nil || !b.manifest) {
			made = append(made, w.newCommit(address))
		}
		if b := before[address]; !h.manifest && b == nil && attempts[0].kill != nil {
			left = true
		}
	}
	for address, b := range before {
		if h := after[address]; b.manifest && (h == nil || !h.manifest) && !w.planted[address] {
			gone = append(gone, address)
		}
	}
	slices.SortFunc(made, func(x, y *commit) int { return strings.Compare(x.run, y.run) })
	slices.Sort(gone)
	w.count["commits"] += len(made)
	w.count["retirements"] += len(gone)
	for _, a := range attempts {
		a.made, a.gone = made, gone
		w.count["attempts"]++
		if a.kill != nil && a.kill.done {
			w.count["kills"]++
			w.count["kills of "+a.kill.tool]++
			w.count["kills "+a.kill.when]++
			if a.kill.upload || left {
				w.count["kills with chunks stored"]++
			}
		}
		if takenOver.MatchString(a.stderr) {
			w.count["promotions"]++
		}
		w.tell("%s: %s", a.host, a.summary())
	}
	w.judge(attempts, made, gone)
	w.observe()
}

// takenOver is what napback says of a pending state that it promotes.
var takenOver = regexp.MustCompile(`taken over`)

func (a *attempt) summary() string {
	s := fmt.Sprintf("napback date %s: exit %d, %q", a.date, a.code, a.outcome)
	if a.dated {
		s += ", --date"
	}
	if a.kill != nil {
		s += fmt.Sprintf(", kill %s (done: %v)", a.kill, a.kill.done)
	}
	if a.hurt && a.kill == nil {
		s += ", disturbed"
	}
	for _, c := range a.made {
		s += fmt.Sprintf("\n       + %s %s %s parent %s", c.address(), c.kind, c.date, c.parent)
	}
	for _, g := range a.gone {
		s += "\n       - " + g
	}
	for line := range strings.Lines(a.stderr) {
		if !strings.Contains(line, "not encrypted") {
			s += "\n       | " + strings.TrimSpace(line)
		}
	}
	return s
}
