package config

import (
	"slices"
	"strings"
	"time"

	"napback/internal/compress"
	"napback/internal/slot"
	"napback/internal/trust"
	"napback/napback/notify"
	"napback/napback/source"
)

// place is a set of kinds of scopes.
type place int

const (
	atTop place = 1 << iota
	inCycle
	inSource

	anywhere = atTop | inCycle | inSource
)

// directive is what the parser knows of a directive that sets something.
type directive struct {
	name   string
	where  place
	kinds  []string // of sources that it has a meaning for; nil for all
	own    bool     // stands in the block of a source only
	repeat bool     // may be given more than once in a scope
	words  bool     // takes one or more words, not exactly one
	set    setter
	// flag is that of the tools which get the words, as read writes them: then
	// there is nothing else to set.
	flag  string
	tools Tools
	read  reader[string]
	cycle CycleType // the kind of schedule that it is for; "" for all
	// excludes is the directive that must not stand beside it. In an inner scope
	// the one takes the place of the other.
	excludes string
	// obeys refuses a file that others can write, of a directive that names
	// something which napback obeys, or which others could use against who runs it.
	obeys func(path string) error
}

const (
	maxCount = 1_000_000 // of days, slots, files: far above any use
	maxBytes = 1 << 50
)

// directives returns all that set something, by their names in lower case.
func directives(of []source.Kind) map[string]directive {
	byName := map[string]directive{}
	for _, group := range [][]directive{storeDirectives(), streamDirectives(), cycleDirectives(), optionDirectives(of), jobDirectives(), logDirectives(), channelDirectives()} {
		for _, d := range group {
			if d.where == 0 {
				d.where = anywhere
			}
			if d.flag != "" {
				d.set = tell(d)
			}
			byName[strings.ToLower(d.name)] = d
		}
	}
	return byName
}

// storeDirectives say where backups go, and how. Tools get their flags in this
// order.
func storeDirectives() []directive {
	return []directive{
		{name: "Bucket", set: one(func(s *Settings) *string { return &s.Bucket }, valid(bucket))},
		// The more specific of the two ways to get credentials holds.
		{name: "S3KeyFile", flag: "-K", tools: anyTool, read: valid(absolute), excludes: "Profile", obeys: trust.File},
		{name: "Endpoint", flag: "--endpoint", tools: anyTool, read: valid(endpoint)},
		{name: "Profile", flag: "--profile", tools: anyTool, read: valid(noBlanks), excludes: "S3KeyFile"},
		{name: "Region", flag: "--region", tools: anyTool, read: valid(noBlanks)},
		{name: "PathStyle", flag: "--path-style", tools: anyTool, read: onOff},
		{name: "BandwidthLimit", flag: "--bwlimit", tools: anyTool, read: written(size(1, maxBytes))},
		{name: "VerifyKey", flag: "--verify-key", tools: anyTool, repeat: true, read: valid(absolute), obeys: trust.File},
		{name: "SignKey", flag: "--sign-key", tools: Put, read: valid(absolute), obeys: trust.File},
		{name: "SignPassphraseFile", flag: "--sign-passphrase-file", tools: Put, read: valid(absolute), obeys: trust.File},
		{name: "ChunkSize", flag: "-z", tools: Put, read: written(size(1, 5<<30))},
		{name: "Concurrency", flag: "-c", tools: Put | Get, read: written(number(1, 1000))},
		{name: "Memory", flag: "--memory", tools: Put | Get, read: written(size(1, maxBytes))},
		{name: "Spool", flag: "--spool", tools: Put, read: valid(absolute), obeys: trust.Temp},
		{name: "StorageClass", flag: "--storage-class", tools: Put, read: valid(noBlanks)},
		{name: "SSE", flag: "--sse", tools: Put, read: enum("AES256", "aws:kms", "aws:kms:dsse")},
		{name: "SSEKMSKey", flag: "--sse-kms-key", tools: Put, read: valid(noBlanks)},
		{name: "NeverDie", set: one(func(s *Settings) *bool { return &s.NeverDie }, boolean)},
		{name: "RetryWait", set: one(func(s *Settings) *time.Duration { return &s.RetryWait }, duration(time.Second))},
	}
}

// streamDirectives say what happens to a stream on its way.
func streamDirectives() []directive {
	return []directive{
		{name: "GpgRecipient", repeat: true, set: func(s *Settings, words []string, first bool) error {
			return add(&s.GpgRecipients, valid(notEmpty), words, first)
		}},
		{name: "GpgKeyring", set: one(func(s *Settings) *string { return &s.GpgKeyring }, valid(absolute)), obeys: trust.File},
		{name: "Compression", set: one(func(s *Settings) *string { return &s.Compression }, enum(compress.Names()...))},
		{name: "TempDir", set: one(func(s *Settings) *string { return &s.TempDir }, valid(absolute)), obeys: trust.Temp},
		{name: "UseTempFile", set: one(func(s *Settings) *bool { return &s.UseTempFile }, boolean)},
		// State and lock are those of the whole file.
		{name: "DiffDir", where: atTop, set: one(func(s *Settings) *string { return &s.DiffDir }, valid(absolute)), obeys: trust.Dir},
		{name: "Prefix", set: one(func(s *Settings) *string { return &s.Prefix }, valid(prefix))},
	}
}

// cycleDirectives are the parameters of schedules.
func cycleDirectives() []directive {
	return []directive{
		{name: "CycleType", set: one(func(s *Settings) *CycleType { return &s.CycleType }, enum(SimpleCycle, HanoiCycle))},
		{name: "Frequency", set: one(func(s *Settings) *int { return &s.Frequency }, number(1, maxCount))},
		{name: "Phase", cycle: SimpleCycle, excludes: "FullOn", set: func(s *Settings, words []string, _ bool) (err error) {
			s.FullOn = nil
			s.Phase, err = number(0, maxCount)(words[0])
			return err
		}},
		{name: "FullOn", cycle: SimpleCycle, excludes: "Phase", set: func(s *Settings, words []string, _ bool) error {
			day, err := slot.ParseWeekday(words[0])
			if err == nil {
				s.FullOn = &day
			}
			s.Phase = 0
			return err
		}},
		{name: "Diffs", cycle: SimpleCycle, set: one(func(s *Settings) **int { return &s.Diffs }, given(number(0, maxCount)))},
		{name: "Fulls", cycle: SimpleCycle, set: one(func(s *Settings) **int { return &s.Fulls }, given(number(1, maxCount)))},
		{name: "Discs", cycle: HanoiCycle, set: one(func(s *Settings) *int { return &s.Discs }, number(1, 30))},
		{name: "ArchiveOldestDisc", cycle: HanoiCycle, set: one(func(s *Settings) *bool { return &s.ArchiveOldestDisc }, boolean)},
	}
}

// optionDirectives say how sources of certain kinds are read.
func optionDirectives(of []source.Kind) []directive {
	var all []directive
	for _, kind := range of {
		for _, o := range kind.Options {
			if i := slices.IndexFunc(all, func(d directive) bool { return d.name == o.Name }); i >= 0 {
				all[i].kinds = append(all[i].kinds, kind.Name)
				continue
			}
			d := directive{name: o.Name, kinds: []string{kind.Name}, own: o.Own, repeat: o.Repeat, set: option(o)}
			switch o.Form {
			case source.Arguments:
				d.words = true
			case source.Program:
				d.words, d.obeys = true, program
			case source.File:
				d.obeys = trust.File
			}
			all = append(all, d)
		}
	}
	return all
}

// jobDirectives say what happens around a job, and at the end of them all.
func jobDirectives() []directive {
	return []directive{
		{name: "Timeout", set: one(func(s *Settings) *time.Duration { return &s.Timeout }, duration(0))},
		{name: "Nice", set: one(func(s *Settings) *int { return &s.Nice }, number(-20, 19))},
		{name: "RunBefore", words: true, set: command(func(s *Settings) *[]string { return &s.RunBefore }), obeys: program},
		{name: "RunAfter", words: true, set: command(func(s *Settings) *[]string { return &s.RunAfter }), obeys: program},
		{name: "RunOnFailure", words: true, set: command(func(s *Settings) *[]string { return &s.RunOnFailure }), obeys: program},
		{name: "RunFinished", where: atTop, words: true, set: command(func(s *Settings) *[]string { return &s.RunFinished }), obeys: program},
	}
}

// logDirectives say what is logged and measured. Those of the run as a whole stand at the top
// level; the level can differ from job to job.
func logDirectives() []directive {
	return []directive{
		{name: "LogLevel", set: one(func(s *Settings) *string { return &s.LogLevel }, enum("debug", "info", "warn", "error"))},
		{name: "LogFile", where: atTop, set: one(func(s *Settings) *string { return &s.LogFile }, valid(absolute)), obeys: trust.Log},
		{name: "LogFormat", where: atTop, set: one(func(s *Settings) *string { return &s.LogFormat }, enum("text", "json"))},
		{name: "LogMaxSize", where: atTop, set: one(func(s *Settings) *int64 { return &s.LogMaxSize }, size(1, maxBytes))},
		{name: "LogMaxBackups", where: atTop, set: one(func(s *Settings) *int { return &s.LogMaxBackups }, number(1, maxCount))},
		{name: "MetricsFile", where: atTop, set: one(func(s *Settings) *string { return &s.MetricsFile }, valid(metricsFile)), obeys: trust.Log},
		{name: "Syslog", where: atTop, set: one(func(s *Settings) *bool { return &s.Syslog }, boolean)},
	}
}

// channelDirectives are those of the channels that tell how a run went.
func channelDirectives() []directive {
	var all []directive
	for _, kind := range notify.Kinds() {
		for _, d := range kind.Directives {
			one := directive{name: d.Name, repeat: d.Repeat, set: channelValue(d)}
			if d.Top {
				one.where = atTop
			}
			if d.File {
				one.obeys = trust.File
			}
			all = append(all, one)
		}
	}
	return all
}
