package config

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/notify"
)

// build makes the jobs from the tree of scopes.
func (p *parser) build(c *Config, env Env) {
	if p.garbled {
		return
	}
	readable := len(p.list) == 0
	c.Settings = p.apply(p.top, defaults())
	var all []*named
	p.walk(p.top, c.Settings, "", &all)
	if c.Settings.DiffDir == "" && !p.top.has("DiffDir") {
		p.addf(p.top.at, "DiffDir is missing: add DiffDir DIRECTORY at the top level; it keeps what incremental backups need")
	}
	if readable && p.top.empty() {
		p.addf(p.top.at, "no source: add Directory PATH or another one, or nothing is backed up")
	}
	renamed := p.resolve(all, env)
	for _, n := range all {
		c.Jobs = append(c.Jobs, *n.job)
	}
	c.Notes = append(c.Notes, notes(c.Jobs)...)
	if len(renamed) > 0 {
		c.Notes = append(c.Notes, "sources that stand in several places have the name of their Cycle in their archives' names: "+
			strings.Join(renamed, ", "))
	}
	c.Notes = append(c.Notes, p.checkChannels(c.Settings.Notify)...)
}

// apply returns the settings of a scope, given those around it.
func (p *parser) apply(sc *scope, s Settings) Settings {
	seen := map[string]bool{}
	for _, e := range sc.entries {
		if err := e.set(&s, e.words, !seen[e.name]); err != nil {
			p.addf(e.at, "%s %q: %v", e.name, strings.Join(e.words, " "), err)
		}
		seen[e.name] = true
	}
	p.checkTrust(sc)
	return s
}

// walk appends the jobs of a scope, whose settings are s, and returns the
// kinds of schedules that they have.
func (p *parser) walk(sc *scope, s Settings, cycle string, all *[]*named) map[CycleType]bool {
	used := map[CycleType]bool{}
	for _, child := range sc.sources {
		settings := p.apply(child, s)
		if child.place == inCycle {
			maps.Copy(used, p.walk(child, settings, child.value, all))
			continue
		}
		used[settings.CycleType] = true
		p.checkCycle(child, map[CycleType]bool{settings.CycleType: true})
		if n := p.job(child, settings, cycle); n != nil {
			*all = append(*all, n)
		}
	}
	if len(used) == 0 {
		used[s.CycleType] = true
	}
	// What the top level sets are defaults, unless it says for what.
	if sc.place != atTop || sc.has("CycleType") {
		p.checkCycle(sc, used)
	}
	return used
}

// checkCycle reports what a scope sets for a kind of schedule that none of
// its jobs has.
func (p *parser) checkCycle(sc *scope, used map[CycleType]bool) {
	for _, e := range sc.entries {
		if e.cycle != "" && !used[e.cycle] {
			other := SimpleCycle
			if e.cycle == SimpleCycle {
				other = HanoiCycle
			}
			p.addf(e.at, "%s has no meaning in a %s: remove it, or add CycleType %s", e.name, other, e.cycle)
		}
	}
}

// empty reports whether there is no source in the scope.
func (sc *scope) empty() bool {
	return sc.place != inSource && !slices.ContainsFunc(sc.sources, func(child *scope) bool { return !child.empty() })
}

// has reports whether the scope itself sets something.
func (sc *scope) has(name string) bool {
	return slices.ContainsFunc(sc.entries, func(e entry) bool { return e.name == name })
}

// job makes a job from a source's scope, without its name. It returns nil if
// the source is wrong.
func (p *parser) job(sc *scope, s Settings, cycle string) *named {
	cleaned, err := sc.kind.Clean(sc.value)
	if err != nil {
		p.addf(sc.at, "%s %q: %v", sc.kind, sc.value, err)
		return nil
	}
	if s.Schedule, err = s.schedule(sc.kind); err != nil {
		at := sc.settingAt("Phase", "FullOn", "Frequency", "Diffs", "Fulls", "Discs")
		for _, reason := range strings.Split(err.Error(), "\n") {
			p.add(problem{at: at, reason: reason, hint: s.hintOnWeekday()})
		}
	}
	job := &Job{Kind: sc.kind, Source: cleaned, Cycle: cycle, Settings: s, File: sc.at.file, Line: sc.at.line}
	if s.Bucket == "" && !sc.tried("Bucket") {
		p.addf(p.top.at, "Bucket is missing: add Bucket NAME at the top level")
	}
	if s.UseTempFile && s.TempDir == "" && !sc.tried("TempDir") {
		p.addf(sc.settingAt("UseTempFile"), "UseTempFile needs a TempDir to put the file in")
	}
	p.checkUpload(sc, s)
	if run := sc.kind.Program; run != "" && !sc.tried(run) {
		p.addf(sc.at, "%s has no program: add a line %s PROGRAM [ARGUMENT...]", sc.tag, run)
	}
	if sc.kind.Check != nil {
		if err := sc.kind.Check(job.OfSource()); err != nil {
			for reason := range strings.SplitSeq(err.Error(), "\n") {
				p.addf(sc.at, "%s", reason)
			}
		}
	}
	return &named{job: job, scope: sc}
}

// hintOnWeekday tells what goes with FullOn.
func (s *Settings) hintOnWeekday() string {
	if s.FullOn == nil || s.CycleType != SimpleCycle {
		return ""
	}
	return "with Frequency 1 and Diffs 6 there is one FULL a week; Phase 0 in a block takes the place of a FullOn outside it"
}

// What s3put uses when nothing is set.
const (
	defaultChunkSize = 25_000_000
	defaultMemory    = 256 << 20
)

// checkUpload reports values that s3put would refuse together, each time.
func (p *parser) checkUpload(sc *scope, s Settings) {
	chunk, memory := cmp.Or(s.bytes("ChunkSize"), defaultChunkSize), cmp.Or(s.bytes("Memory"), defaultMemory)
	if chunk > memory && s.told("Spool") == "" {
		p.addf(sc.settingAt("ChunkSize", "Memory"), "a ChunkSize of %s does not fit into the Memory of %s",
			cli.FormatSize(chunk), cli.FormatSize(memory))
	}
	if sse := s.told("SSE"); s.told("SSEKMSKey") != "" && !strings.HasPrefix(sse, "aws:kms") && !(sse == "" && sc.tried("SSE")) {
		p.addf(sc.settingAt("SSEKMSKey"), "SSEKMSKey needs SSE aws:kms")
	}
}

// checkChannels reports settings of channels that do not fit together, and
// returns what is worth a note.
func (p *parser) checkChannels(s notify.Settings) (notes []string) {
	for _, kind := range notify.Kinds() {
		if kind.Check == nil {
			continue
		}
		note, err := kind.Check(s)
		if note != "" {
			notes = append(notes, note)
		}
		if err == nil {
			continue
		}
		var names []string
		for _, d := range kind.Directives {
			if d.Values == nil { // what takes one of a few words fits everything
				names = append(names, d.Name)
			}
		}
		for reason := range strings.Lines(err.Error()) {
			p.addf(p.top.settingAt(names...), "%s", strings.TrimSuffix(reason, "\n"))
		}
	}
	return notes
}

// settingAt returns where the last of the named directives stands in the
// innermost scope that has any.
func (sc *scope) settingAt(names ...string) position {
	for in := sc; in != nil; in = in.parent {
		for _, e := range slices.Backward(in.entries) {
			if slices.Contains(names, e.name) {
				return e.at
			}
		}
	}
	return sc.at
}

// tried reports whether a directive stands in the scope or around it, so that
// a wrong value is not reported as a missing one as well.
func (sc *scope) tried(name string) bool {
	return sc != nil && (sc.has(name) || sc.parent.tried(name))
}

// notes are what is allowed but protects less than one may expect.
func notes(jobs []Job) []string {
	var plain []string
	warned := map[string][]string{}
	warn := func(j Job, text string) { warned[text] = append(warned[text], j.String()) }
	for _, j := range jobs {
		if len(j.Settings.GpgRecipients) == 0 {
			plain = append(plain, j.String())
		}
		for _, w := range j.Settings.Schedule.Warnings() {
			warn(j, w)
		}
		if s := j.Settings; j.Kind.Diffs && s.CycleType == SimpleCycle && s.given().OnlyFulls() {
			warn(j, "Fulls without Diffs: every backup is a FULL; Diffs 0 says so, Diffs 6 makes increments between them")
		}
	}
	var all []string
	switch {
	case len(plain) == 0:
	case len(plain) == len(jobs):
		all = append(all, "no GpgRecipient: backups are not encrypted")
	default:
		all = append(all, "no GpgRecipient, so not encrypted: "+strings.Join(plain, ", "))
	}
	for _, w := range slices.Sorted(maps.Keys(warned)) {
		all = append(all, w+" ("+strings.Join(warned[w], ", ")+")")
	}
	return all
}
