package backup

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup/decide"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/source"
	"napback/napback/state"
	"napback/napback/tools"
)

// attempt is one run of the chain for a decision (steps 4 to 7).
type attempt struct {
	*Backup
	source.Reading
	name   string // of the archive
	stored tools.Stored
	now    *state.Point // once it is pending
}

// store runs the chain, and promotes the new state when it has committed.
func (b *Backup) store(ctx context.Context, r *Result) error {
	reading, err := b.source.Begin(b.turn())
	if err != nil {
		return err
	}
	a := &attempt{Backup: b, Reading: reading, name: b.decision.Name(b.job.Name)}
	defer a.cleanUp()
	producers, put, err := b.chain(a.name, reading.Stages(), false)
	if err != nil {
		return err
	}
	b.options.Progress.Expect(b.expected(), true)
	if err := a.run(ctx, producers, put); err != nil {
		return b.source.Explain(err)
	}
	b.promote(a.now)
	b.left.Runs = append(b.left.Runs, a.entry())
	if err := b.State.Save(b.Record); err != nil {
		// The pending state is durable: the next run promotes it.
		b.warn(fmt.Sprintf("the archive is committed, but %v", err))
	}
	r.Archive, r.Run, r.Read, r.Stored = a.name, a.now.Run, reading.Bytes(), a.stored
	return nil
}

// promote makes a committed run the current state, and lists it. What is not in
// the bucket any more is listed no longer.
func (b *Backup) promote(now *state.Point) {
	r := state.Record{Config: b.job.Config, Owner: b.Self.Owner, Current: now, Previous: b.decision.Before, Denied: b.Record.Denied}
	for _, k := range b.Record.Runs {
		if b.Contents.ListDenied || b.isListed(k) {
			r.Runs = append(r.Runs, k)
		}
	}
	r.Runs = append(r.Runs, now.Stored())
	b.Record = r
}

// unsettled is how long a run that was not committed may be committed yet, by an
// s3put that has outlived napback.
const unsettled = 4 * 24 * time.Hour

func (b *Backup) isListed(k state.Run) bool {
	if k.Unconfirmed && b.Now.Sub(catalog.RunTime(k.Run)) < unsettled {
		return true
	}
	return slices.ContainsFunc(b.Contents.Runs, func(e catalog.Entry) bool {
		return e.Name == k.Name && e.Run == k.Run && e.State != catalog.Incomplete
	})
}

// run runs the chain as a whole, or, with a temporary file, its two parts.
func (a *attempt) run(ctx context.Context, producers []chain.Stage, put chain.Stage) error {
	whole := chain.Chain{Stages: append(producers, put), Commit: a.commit}
	if !a.job.Settings.UseTempFile {
		_, err := a.runChain(ctx, &whole)
		return err
	}
	file, err := newSpool(a.job.Settings.TempDir)
	if err != nil {
		return err
	}
	defer file.Close()
	var upstream []chain.Status
	first := chain.Chain{Stages: producers, Out: file.File}
	if upstream, err = a.runChain(ctx, &first); err != nil {
		return file.explain(err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("TempDir: %w", err)
	}
	reader, err := spoolReader(a.host.Kit)
	if err != nil {
		return err
	}
	second := chain.Chain{Stages: []chain.Stage{reader, put}, In: file.File, Commit: func(announced string, _ []chain.Status) (map[string]string, error) {
		return a.commit(announced, upstream)
	}}
	_, err = a.runChain(ctx, &second)
	return err
}

func (a *attempt) runChain(ctx context.Context, c *chain.Chain) ([]chain.Status, error) {
	log := a.host.Log.Lines(a.hears)
	var last []string // what s3put says of its end: errors, and their hints
	c.Said = func(line string) {
		if stored, ok := tools.Committed(line); ok {
			a.stored = stored
		}
	}
	c.Log = func(stage, line string) {
		if ctx.Err() != nil { // whose cause is told: what is said now is that stages were ended
			a.host.Log.Debugf("%s", cli.Safe(line))
			return
		}
		if stage == "s3put" && (len(last) > 0 || strings.HasPrefix(line, "s3put: error: ")) {
			last = append(last, line)
			return
		}
		log(stage, line)
	}
	c.Aside = tools.Watch(a.options.Progress.Report)
	a.host.Log.Debugf("%s", c)
	status, err := c.Run(ctx)
	a.host.Log.Debugf("%s", chain.Summary(status))
	for _, line := range last {
		// That it did not commit is what napback made it do: people read the cause.
		if n := len(status); a.now == nil && n > 0 && status[n-1].Code == cli.NotCommitted || saysAsWell(err, line) {
			a.host.Log.Debugf("%s", line)
			continue
		}
		log("s3put", line)
	}
	return status, err
}

// saysAsWell tells that err says what s3put has said: its last error. Hints come with
// an error, however it is told.
func saysAsWell(err error, line string) bool {
	var failed *chain.Error
	if !errors.As(err, &failed) || failed.Cause.Stage != "s3put" {
		return false
	}
	text := strings.TrimPrefix(line, "s3put: ")
	return strings.HasPrefix(text, "hint: ") || text == "error: "+failed.Cause.LastLine()
}

// cleanUp removes what the attempt no longer needs.
func (a *attempt) cleanUp() {
	a.End()
	record, err := a.State.Load()
	if err == nil {
		err = a.State.Clean(record)
	}
	if err != nil {
		a.host.Log.Debugf("%v", err)
	}
}

// chain completes the chain of a job: what comes before s3put, and s3put, which a
// person runs byHand.
func (b *Backup) chain(name string, stages []chain.Stage, byHand bool) (producers []chain.Stage, put chain.Stage, err error) {
	if b.compressor.Stage != nil {
		stages = append(stages, *b.compressor.Stage)
	}
	if set := &b.job.Settings; len(set.GpgRecipients) > 0 {
		encrypt, err := tools.Encrypt(b.host.Kit, set)
		if err != nil {
			return nil, put, err
		}
		stages = append(stages, encrypt)
	}
	up := tools.Upload{Name: name, Owner: b.Self.Owner, Meta: b.meta(), ByHand: byHand}
	if base := b.decision.Base; base != nil {
		up.Parent = base.Run
	}
	to := b.host.Store(b.job)
	if !byHand {
		to = to.Showing(b.options.Progress)
	}
	put, err = to.Put(up)
	return b.lowered(stages), b.lowered([]chain.Stage{put})[0], err
}

// meta is what the manifest says of the archive, as far as it is known before
// the chain runs.
func (b *Backup) meta() []string {
	d := b.decision
	kv := []string{
		"job=" + b.job.Name,
		"source=" + b.job.String(),
		"type=" + string(d.Kind),
		"slot=" + strconv.FormatInt(d.Slot.Number, 10),
		"date=" + b.Today.String(),
	}
	if d.Base != nil {
		kv = append(kv, "chain="+d.Base.Chain, "parent="+d.Base.Run)
	}
	if from, ok := b.source.(source.Noted); ok {
		kv = append(kv, from.Meta()...)
	}
	if b.Self.Machine != "" {
		kv = append(kv, "machine="+b.Self.Machine)
	}
	kv = append(kv, "compression="+b.compressor.Method)
	if keys := b.options.Keys[tools.Recipients(&b.job.Settings)]; len(keys) > 0 {
		kv = append(kv, "encryption="+strings.Join(keys, " "))
	}
	return append(kv, "unpack="+b.source.Unpack())
}

// hears takes the lines of the stages, and tells which are for people.
func (a *attempt) hears(stage, line string) bool {
	if stage != "s3put" {
		return a.Heard(stage, line)
	}
	return spoken.MatchString(strings.TrimPrefix(line, "s3put: ")) // the rest is what -v says
}

// spoken matches what our tools say to people.
var spoken = regexp.MustCompile(`^(error|warning|note|hint): `)

// entry is how a listing shows what was stored.
func (a *attempt) entry() catalog.Entry {
	e := catalog.Entry{
		Bucket: a.job.Settings.Bucket, Name: a.name, Run: a.now.Run, State: catalog.Committed, Committed: a.host.Now(),
		Host: a.host.Name, Bytes: a.stored.Bytes, Owner: a.Self.Owner, BuildsOn: a.now.Parent, Meta: map[string]string{"chain": a.now.Chain},
	}
	for _, kv := range a.meta() {
		key, value, _ := strings.Cut(kv, "=")
		e.Meta[key] = value
	}
	return e
}

// commit makes the new state pending, and gives s3put what only now is known
// (step 6).
func (a *attempt) commit(begun string, upstream []chain.Status) (map[string]string, error) {
	d := a.decision
	run, err := a.host.Store(a.job).Begun(begun, a.name)
	if err != nil {
		return nil, err
	}
	p := a.point(run)
	p.Token = rand.Text()
	if err := a.Finish(p, upstream); err != nil {
		return nil, err
	}
	a.judgeSize()
	record := a.Record
	record.Config, record.Owner = a.job.Config, a.Self.Owner
	record.Pending = &state.Pending{Current: p, Previous: d.Before}
	if err := a.State.Save(record); err != nil {
		return nil, err
	}
	a.now = p
	extra := map[string]string{"stages": chain.Summary(upstream), decide.TokenMeta: p.Token}
	if d.Kind == slot.Full {
		extra["chain"] = run
	}
	if teller, ok := a.Reading.(source.Teller); ok {
		maps.Copy(extra, teller.Meta())
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

// point is the state that the run makes, as far as every source has it.
func (a *attempt) point(run string) *state.Point {
	d := a.decision
	p := &state.Point{
		Archive: state.Archive{
			Name: a.name, Run: run, Type: d.Kind,
			Slot: d.Slot.Number, Turn: d.Slot.Turn, Cycle: d.Slot.Cycle, Date: a.Today,
		},
		Chain: run, FullName: a.name, FullBytes: a.Bytes(),
		Hash: hashOf(a.job, a.source.Hash()),
	}
	if b := d.Base; b != nil {
		p.Chain, p.FullName, p.FullBytes = b.Chain, b.FullName, b.FullBytes
		p.Parent, p.ParentName = b.Run, b.Name
	}
	return p
}

// judgeSize warns of a FULL that is much smaller than the one before it.
func (a *attempt) judgeSize() {
	before := a.Record.Current
	if a.decision.Kind != slot.Full || before == nil || a.Bytes() >= before.FullBytes/2 {
		return
	}
	a.warn(fmt.Sprintf("this FULL has %s, LESS THAN HALF of the previous one's %s: is part of the source missing?",
		cli.FormatSize(a.Bytes()), cli.FormatSize(before.FullBytes)))
}

// lowered returns the stages at the priority that the job asks for.
func (b *Backup) lowered(stages []chain.Stage) []chain.Stage {
	nice := b.job.Settings.Nice
	if nice == 0 {
		return stages
	}
	var all []chain.Stage
	for _, s := range stages {
		all = append(all, b.options.Lower().Stage(s, nice))
	}
	return all
}
