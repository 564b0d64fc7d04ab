//go:build linux

package storm

import (
	"cmp"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"napback/napback/treetest"
)

// commit is a run whose manifest was seen in the store.
type commit struct {
	bucket, name, run string
	label             string // BUCKET:NAME without slot and type
	slot              int
	kind, date        string
	parent, owner     string
	// by is the attempt that it comes from, as its content tells.
	by    *attempt
	acked bool // napback said that it is stored
	lost  bool // it was missed already
	free  bool // nothing promises it any more
}

func (c *commit) address() string { return c.bucket + ":" + c.name + ":" + c.run }

// newCommit reads a manifest in the store's own files.
func (w *world) newCommit(address string) *commit {
	bucket, key, _ := strings.Cut(address, ":")
	cut := strings.LastIndexByte(key, ':')
	c := &commit{bucket: bucket, name: key[:cut], run: key[cut+1:]}
	w.commits[address] = c
	data, err := os.ReadFile(filepath.Join(w.raw, bucket, key+":manifest"))
	w.must(err)
	var m struct {
		Parent, Owner string
		Meta          map[string]string
	}
	w.must(json.Unmarshal(data, &m))
	c.kind, c.date, c.parent, c.owner = m.Meta["type"], m.Meta["date"], cmp.Or(m.Parent, m.Meta["parent"]), m.Owner
	c.label = bucket + ":" + strings.TrimSuffix(c.name, "-"+m.Meta["slot"]+"-"+c.kind)
	c.slot, _ = strconv.Atoi(m.Meta["slot"])
	return c
}

// chain returns the commits that restore c, oldest first, or nil if one of them
// is not in the store.
func (w *world) chain(c *commit, now map[string]*held) []*commit {
	var chain []*commit
	for seen := map[string]bool{}; ; {
		if h := now[c.address()]; h == nil || !h.manifest || seen[c.run] {
			return nil
		}
		seen[c.run] = true
		chain = append(chain, c)
		if c.kind == "FULL" {
			slices.Reverse(chain)
			return chain
		}
		parent := w.find(c.bucket, c.parent, now)
		if parent == nil {
			return nil
		}
		c = parent
	}
}

// find returns a commit that is in the store.
func (w *world) find(bucket, run string, now map[string]*held) *commit {
	for address, c := range w.commits {
		if c.bucket == bucket && c.run == run && now[address] != nil && now[address].manifest {
			return c
		}
	}
	return nil
}

// verify restores a commit, compares it, and tells which attempt it is of. again
// says whether that is done although it was done before.
func (w *world) verify(c *commit, now map[string]*held, again bool) bool {
	w.t.Helper()
	chain := w.chain(c, now)
	if chain == nil {
		return false
	}
	var addresses []string
	for _, link := range chain {
		addresses = append(addresses, link.address())
	}
	key := strings.Join(addresses, " ")
	if w.restored[key] != nil && !again {
		return true
	}
	to, err := os.MkdirTemp(w.root, "restored-")
	w.must(err)
	defer os.RemoveAll(to)
	script := `set -e; to=$1; shift; get=$1; shift
for address do
	"$get" "$address" | zstd -dq | tar --extract --file=- --listed-incremental=/dev/null --numeric-owner -p --xattrs --xattrs-include='*' --acls -C "$to"
done`
	cmd := exec.Command("bash", append([]string{"-o", "pipefail", "-c", script, "restore", to, filepath.Join(w.observer(), "s3get")}, addresses...)...)
	cmd.Env = w.env()
	if out, err := cmd.CombinedOutput(); err != nil || warned.ReplaceAllString(string(out), "") != "" {
		w.fault("%s is committed and cannot be restored: %v\n%s", c.address(), err, out)
		return false
	}
	w.count["restores compared"]++
	by := w.compare(c.address(), to, true)
	if by == nil {
		return false
	}
	if c.by != nil && c.by != by {
		w.fault("%s was of attempt %d and is of attempt %d now", c.address(), c.by.number, by.number)
	}
	c.by, w.restored[key] = by, by
	return true
}

// warned is what s3get says of a run that it was told to read by its exact name.
var warned = regexp.MustCompile(`(?m)^s3get: warning: .*\n`)

// compare finds a restored source below a directory, and compares it with the
// copy that was made at its attempt, which it returns. byTar says that tar alone has
// restored it, which takes no extended attribute away from a directory.
func (w *world) compare(what, to string, byTar bool) *attempt {
	w.t.Helper()
	sources := []string{filepath.Join(to, w.place(), "src")}
	for id := range w.ids {
		sources = append(sources, filepath.Join(to, w.home(id), "src"))
	}
	for _, source := range sources {
		text, err := os.ReadFile(filepath.Join(source, marker))
		if err != nil {
			continue
		}
		first, _, _ := strings.Cut(string(text), "\n")
		number, err := strconv.Atoi(first)
		if err != nil || number >= len(w.attempts) {
			break
		}
		by := w.attempts[number]
		want, got := by.want, w.tree(source)
		if byTar {
			want, got = treetest.Plain(want), treetest.Plain(got)
		}
		if d := treetest.Difference(want, got); d != "" {
			w.fault("%s, restored, is not the source of attempt %d:\n%s", what, number, d)
			return nil
		}
		return by
	}
	w.fault("%s, restored, is the source of no attempt", what)
	return nil
}

// judge checks what attempts that have just ended have done, and what is still
// there.
func (w *world) judge(attempts []*attempt, made []*commit, gone []string) {
	w.t.Helper()
	now := w.objects()
	for _, c := range made {
		if !w.verify(c, now, false) {
			w.fault("%s was committed and cannot be restored", c.address())
		} else if !slices.Contains(attempts, c.by) {
			w.fault("%s holds the source of attempt %d", c.address(), c.by.number)
		}
		w.count[c.kind+"s"]++
	}
	for _, a := range attempts {
		w.judgeOne(a, made, now)
	}
	for _, address := range gone {
		c := w.commits[address]
		if c.by != nil && !slices.ContainsFunc(attempts, func(a *attempt) bool { return a.host.family == c.by.host.family }) {
			w.fault("%s was stored by %s and removed by another host", address, c.by.host)
		}
	}
	w.keepsPromises(now)
}

// keepsPromises checks that everything is there that must be.
func (w *world) keepsPromises(now map[string]*held) {
	w.t.Helper()
	for _, c := range w.sorted() {
		c.free = c.free || !w.promised(c) && c.acked
		if c.lost || !w.promised(c) || w.chain(c, now) != nil {
			continue
		}
		c.lost = true
		w.fault("%s (%s of %s, attempt %d) was stored, its slot still promises it, and it cannot be restored", c.address(), c.kind, c.date, c.by.number)
	}
}

// judgeOne compares what an attempt said with what it did.
func (w *world) judgeOne(a *attempt, made []*commit, now map[string]*held) {
	w.t.Helper()
	i := slices.IndexFunc(made, func(c *commit) bool { return c.by == a })
	switch {
	case a.acknowledged() && i < 0:
		w.fault("%s: exit %d, %s, and nothing restorable was stored:\n%s%s", a.host, a.code, a.outcome, a.out, a.stderr)
	case a.acknowledged():
		made[i].acked = true
		a.host.lost = false
		w.count["acknowledged"]++
	case a.outcome == "done today" && !w.isDone(a, now):
		w.fault("%s: done today, and nothing restorable is of %s", a.host, a.date)
	case a.code != 0 && a.code != 3 && !a.hurt && !w.goesBack(a):
		w.fault("%s: exit %d, and nothing was in its way:\n%s%s", a.host, a.code, a.out, a.stderr)
	case a.code == 0 && i < 0 && a.outcome != "done today" && a.outcome != "not due":
		w.fault("%s: exit 0 and %q:\n%s%s", a.host, a.outcome, a.out, a.stderr)
	}
}

// isDone tells whether the host has stored something on the date of the attempt.
func (w *world) isDone(a *attempt, now map[string]*held) bool {
	for _, c := range w.commits {
		if c.by != nil && c.label == a.label && c.date == a.date && a.host.knows(c) && w.chain(c, now) != nil {
			return true
		}
	}
	return false
}

// goesBack tells that an attempt asked for a date before one that is stored,
// which may be refused.
func (w *world) goesBack(a *attempt) bool {
	for _, c := range w.commits {
		if a.dated && c.label == a.label && c.date > a.date {
			return true
		}
	}
	return false
}

// knows tells whether the host stored c, or has the state of one that did.
func (h *host) knows(c *commit) bool {
	return c.by.host == h || c.by.number < h.shares[c.by.host]
}

// promised tells whether c must be restorable: it was acknowledged, and nobody
// with its history has used its slot again for a date that is not before it. A
// slot that the schedule of one of them does not have is free when what is newer
// spans that schedule. Nothing is promised for a clock that was ahead.
func (w *world) promised(c *commit) bool {
	if !c.acked || c.free || w.ofTheFuture(c) {
		return false
	}
	newer := 0
	span := c.date
	for _, other := range w.commits {
		if other.by == nil || other.label != c.label || other.by.number <= c.by.number || !other.by.host.knows(c) {
			continue
		}
		if other.slot == c.slot && other.date >= c.date {
			return false
		}
		newer++
		span = max(span, other.date)
	}
	return !slices.ContainsFunc(w.hosts, func(h *host) bool {
		slots := h.plan.slots()
		return h.knows(c) && c.slot >= slots && (newer >= slots || days(c.date, span) >= slots*h.plan.frequency)
	})
}

// ofTheFuture tells that a commit to a directory store was made by a clock that
// was ahead: there is no other clock that could tell.
func (w *world) ofTheFuture(c *commit) bool { return w.server == nil && c.by.ahead }

// days counts the days from one date to another.
func days(from, to string) int {
	f, _ := time.Parse(time.DateOnly, from)
	t, _ := time.Parse(time.DateOnly, to)
	return int(t.Sub(f).Hours() / 24)
}

// sorted are all commits in the order of their attempts.
func (w *world) sorted() []*commit {
	var all []*commit
	for _, c := range w.commits {
		if c.by != nil {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *commit) int {
		return cmp.Or(cmp.Compare(a.by.number, b.by.number), strings.Compare(a.address(), b.address()))
	})
	return all
}

// observe removes copies that nothing in the store needs any more.
func (w *world) observe() {
	now := w.objects()
	for _, a := range w.attempts {
		if a.copy == "" || slices.ContainsFunc(w.sorted(), func(c *commit) bool { return c.by == a && now[c.address()] != nil }) {
			continue
		}
		w.must(os.RemoveAll(a.copy))
		a.copy = ""
	}
}
