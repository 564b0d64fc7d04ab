package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/chain"
	"napback/napback/snapshot"
	"napback/napback/state"
)

// attempt is one run of the chain for a decision (steps 4 to 7).
type attempt struct {
	*backup
	name    string    // of the archive
	work    string    // the snapshot that tar works on
	index   string    // where tar writes what it stores; "" for a FULL
	start   time.Time // nothing counts as changed before
	mounts  map[string]string
	report  tarReport
	empty   bool
	lastTry bool
	stored  string       // s3put's own account
	now     *state.Point // once it is pending
}

// store runs the chain, and promotes the new state when it has committed.
// In the last try, what could not be restored exactly is only a warning.
func (b *backup) store(ctx context.Context, r *result, lastTry bool) error {
	a := &attempt{backup: b, lastTry: lastTry, name: b.decision.name(b.job.Name), mounts: mounts(b.job.Source), empty: isEmpty(b.job.Source)}
	defer a.cleanUp()
	if err := a.prepareFiles(); err != nil {
		return err
	}
	c, err := b.chain(a.name, a.work, a.index)
	if err != nil {
		return err
	}
	c.Commit = a.commit
	c.Log = b.stageLine(a.heard)
	b.log.Debugf("%s: %s", b.job, c)
	status, err := c.Run(ctx)
	b.log.Debugf("%s: %s", b.job, chain.Summary(status))
	if err != nil {
		return err
	}
	b.record = state.Record{Current: a.now, Previous: b.decision.before}
	if err := b.state.Save(b.record); err != nil {
		// The pending state is durable: the next run promotes it.
		b.warn(fmt.Sprintf("the archive is committed, but %v", err))
	}
	r.name, r.kind, r.source, r.stored = a.name, b.decision.kind, a.report.bytes, a.stored
	return nil
}

// cleanUp removes what the attempt no longer needs.
func (a *attempt) cleanUp() {
	for _, path := range []string{a.work, a.index} {
		if path != "" {
			os.Remove(path) // a kept snapshot has another name by now
		}
	}
	record, err := a.state.Load()
	if err == nil {
		err = a.state.Clean(record)
	}
	if err != nil {
		a.log.Debugf("%s: %v", a.job, err)
	}
}

// prepareFiles makes the files that tar works on (step 4).
func (a *attempt) prepareFiles() error {
	work, err := a.state.NewFile()
	if err != nil {
		return err
	}
	a.work = work.Name()
	defer work.Close()
	base := a.decision.base
	if base == nil {
		return nil
	}
	old, err := a.state.OpenSnapshot(base)
	if err != nil {
		return err
	}
	defer old.Close()
	paths, _ := changedMounts(base.Mounts, a.mounts)
	started, err := snapshot.Rewrite(work, old, below(paths))
	if err != nil {
		return err
	}
	a.start = started.Add(-snapshot.Overlap)
	index, err := a.state.NewFile()
	if err != nil {
		return err
	}
	a.index = index.Name()
	return index.Close()
}

// chain builds the chain of a job, without its commit.
func (b *backup) chain(name, work, index string) (*chain.Chain, error) {
	stages := []chain.Stage{b.source.stage(b.tools, work, index)}
	if b.compressor.stage != nil {
		stages = append(stages, *b.compressor.stage)
	}
	set := &b.job.Settings
	if len(set.GpgRecipients) > 0 {
		path, err := b.tools.sibling("pgpipe")
		if err != nil {
			return nil, err
		}
		stages = append(stages, b.tools.stage("pgpipe", path, recipientFlags(set)))
	}
	path, err := b.tools.sibling("s3put")
	if err != nil {
		return nil, err
	}
	args := append(putFlags(set), "-v", "--progress", "never")
	for _, kv := range b.meta() {
		args = append(args, "-m", kv)
	}
	args = append(args, "--commit-fd", strconv.Itoa(chain.CommitFD), set.Bucket+":"+name)
	return &chain.Chain{Stages: append(stages, b.tools.stage("s3put", path, args, storeEnv))}, nil
}

// meta is what the manifest says of the archive, as far as it is known before
// the chain runs.
func (b *backup) meta() []string {
	d := b.decision
	kv := []string{
		"job=" + b.job.Name,
		"source=" + b.job.String(),
		"type=" + string(d.kind),
		"slot=" + strconv.FormatInt(d.slot.Number, 10),
		"date=" + b.today.String(),
	}
	if d.base != nil {
		kv = append(kv, "chain="+d.base.Chain, "parent="+d.base.Run)
	}
	kv = append(kv, "compression="+b.compressor.method)
	if keys := b.fingerprintsOf(&b.job.Settings); len(keys) > 0 {
		kv = append(kv, "encryption="+strings.Join(keys, " "))
	}
	return append(kv, "unpack="+unpackCommand)
}

// heard takes the lines of the stages, and tells which are for people.
func (a *attempt) heard(stage, line string) bool {
	switch stage {
	case "tar":
		return a.report.line(line)
	case "s3put":
		text := strings.TrimPrefix(line, "s3put: ")
		if _, stored, ok := strings.Cut(text, ", "); ok && strings.HasPrefix(text, "committed ") {
			a.stored = stored
		}
		return spoken.MatchString(text) // the rest is what -v says
	}
	return true
}

// spoken matches what our tools say to people.
var spoken = regexp.MustCompile(`^(error|warning|note|hint): `)

// commit makes the new state pending, and gives s3put what only now is known
// (step 6).
func (a *attempt) commit(address string, upstream []chain.Status) (map[string]string, error) {
	d := a.decision
	run, err := runOf(address, a.job.Settings.Bucket, a.name)
	if err != nil {
		return nil, err
	}
	if err := a.report.judge(upstream[0], a.source.member); err != nil {
		return nil, err
	}
	if a.report.moved != "" && !a.lastTry {
		return nil, &movedError{a.report.moved}
	}
	if a.index != "" {
		name, err := brokenLink(a.index, a.job.Source, a.start)
		if err != nil {
			return nil, err
		}
		if name != "" {
			return nil, &splitLinkError{name}
		}
	}
	p := a.point(run)
	a.tellUnread(p)
	a.judgeSize()
	if p.Snapshot, p.Sum, err = a.state.Keep(a.work, run); err != nil {
		return nil, err
	}
	record := a.record
	record.Pending = &state.Pending{Current: p, Previous: d.before}
	if err := a.state.Save(record); err != nil {
		return nil, err
	}
	a.now = p
	extra := map[string]string{"stages": chain.Summary(upstream)}
	if d.kind == slot.Full {
		extra["chain"] = run
	}
	if len(a.warnings) > 0 {
		extra["warnings"] = cut(strings.Join(a.warnings, "; "), maxMetaWarnings)
	}
	return extra, nil
}

// maxMetaWarnings keeps the manifest small, in bytes.
const maxMetaWarnings = 2000

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}

// point is the state that the run makes.
func (a *attempt) point(run string) *state.Point {
	d := a.decision
	p := &state.Point{
		Name: a.name, Run: run, Type: d.kind,
		Slot: d.slot.Number, Turn: d.slot.Turn, Cycle: d.slot.Cycle, Date: a.today,
		Chain: run, FullName: a.name, FullBytes: a.report.bytes,
		Hash: a.source.hash(a.job), Empty: a.empty, Mounts: a.mounts,
		Unread: a.report.unread, UnreadAll: a.report.unnamed,
	}
	if b := d.base; b != nil {
		p.Chain, p.FullName, p.FullBytes = b.Chain, b.FullName, b.FullBytes
		p.Parent, p.ParentName = b.Run, b.Name
		// tar does not try again what has not changed.
		still, _ := stillUnread(b.Unread)
		p.Unread = union(still, p.Unread)
	}
	return p
}

// tellUnread warns of what is not in the archive, or not as it was.
func (a *attempt) tellUnread(p *state.Point) {
	if n := len(a.report.warnings); n > 0 {
		a.warnings = append(a.warnings, fmt.Sprintf("%s while it was read: %s", plural(n, "file changed", "files changed"), a.report.warnings[0]))
	}
	if a.report.moved != "" {
		a.warn("directories were renamed all the time; some may not be restored exactly: " + a.report.moved)
	}
	switch n := len(p.Unread); {
	case p.UnreadAll:
		a.warn("some files could not be read and are not in the archive")
	case n > 0:
		a.warn(fmt.Sprintf("%s could not be read and %s not in the archive: %s", plural(n, "file", "files"), plural2(n, "is", "are"), unescape(p.Unread[0])))
	}
}

// judgeSize warns of a FULL that is much smaller than the one before it.
func (a *attempt) judgeSize() {
	before := a.record.Current
	if a.decision.kind != slot.Full || before == nil || a.report.bytes >= before.FullBytes/2 {
		return
	}
	a.warn(fmt.Sprintf("this FULL has %s, LESS THAN HALF of the previous one's %s: is part of the source missing?",
		cli.FormatSize(a.report.bytes), cli.FormatSize(before.FullBytes)))
}

func plural(n int, one, many string) string { return fmt.Sprintf("%d %s", n, plural2(n, one, many)) }

func plural2(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// union joins two lists without repetitions.
func union(a, b []string) []string {
	seen := map[string]bool{}
	var all []string
	for _, list := range [][]string{a, b} {
		for _, s := range list {
			if !seen[s] {
				seen[s] = true
				all = append(all, s)
			}
		}
	}
	return all
}
