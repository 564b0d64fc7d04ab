package config

import (
	"slices"
	"strings"
	"time"

	"napback/internal/compress"
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
	repeat bool     // may be given more than once in a scope
	words  bool     // takes one or more words, not exactly one
	set    setter
	// obeys refuses a file that others can write; nil: see obeyed.
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
			byName[strings.ToLower(d.name)] = d
		}
	}
	return byName
}

// storeDirectives say where backups go, and how.
func storeDirectives() []directive {
	return []directive{
		{name: "Bucket", set: text(func(s *Settings) *string { return &s.Bucket }, bucket)},
		{name: "Endpoint", set: text(func(s *Settings) *string { return &s.Endpoint }, endpoint)},
		{name: "Region", set: text(func(s *Settings) *string { return &s.Region }, noBlanks)},
		{name: "PathStyle", set: boolean(func(s *Settings) *bool {
			s.PathStyle = new(bool)
			return s.PathStyle
		})},
		// The more specific of the two ways to get credentials holds.
		{name: "S3KeyFile", set: text(func(s *Settings) *string { s.Profile = ""; return &s.S3KeyFile }, absolute)},
		{name: "Profile", set: text(func(s *Settings) *string { s.S3KeyFile = ""; return &s.Profile }, noBlanks)},
		{name: "ChunkSize", set: size(func(s *Settings) *int64 { return &s.ChunkSize }, 1, 5<<30)},
		{name: "Concurrency", set: number(func(s *Settings) *int { return &s.Concurrency }, 1, 1000)},
		{name: "Memory", set: size(func(s *Settings) *int64 { return &s.Memory }, 1, maxBytes)},
		{name: "BandwidthLimit", set: size(func(s *Settings) *int64 { return &s.BandwidthLimit }, 1, maxBytes)},
		{name: "StorageClass", set: text(func(s *Settings) *string { return &s.StorageClass }, noBlanks)},
		{name: "SSE", set: enum(func(s *Settings) *string { return &s.SSE }, "AES256", "aws:kms", "aws:kms:dsse")},
		{name: "SSEKMSKey", set: text(func(s *Settings) *string { return &s.SSEKMSKey }, noBlanks)},
		{name: "NeverDie", set: boolean(func(s *Settings) *bool { return &s.NeverDie })},
		{name: "RetryWait", set: duration(func(s *Settings) *time.Duration { return &s.RetryWait }, time.Second)},
	}
}

// streamDirectives say what happens to a stream on its way.
func streamDirectives() []directive {
	return []directive{
		{name: "GpgRecipient", repeat: true, set: list(func(s *Settings) *[]string { return &s.GpgRecipients }, notEmpty)},
		{name: "GpgKeyring", set: text(func(s *Settings) *string { return &s.GpgKeyring }, absolute)},
		{name: "SignKey", set: text(func(s *Settings) *string { return &s.SignKey }, absolute)},
		{name: "SignPassphraseFile", set: text(func(s *Settings) *string { return &s.SignPassphraseFile }, absolute)},
		{name: "VerifyKey", repeat: true, set: list(func(s *Settings) *[]string { return &s.VerifyKeys }, absolute)},
		{name: "Compression", set: enum(func(s *Settings) *string { return &s.Compression }, compress.Names()...)},
		{name: "TempDir", set: text(func(s *Settings) *string { return &s.TempDir }, absolute)},
		{name: "UseTempFile", set: boolean(func(s *Settings) *bool { return &s.UseTempFile })},
		// State and lock are those of the whole file.
		{name: "DiffDir", where: atTop, set: text(func(s *Settings) *string { return &s.DiffDir }, absolute)},
		{name: "Prefix", set: text(func(s *Settings) *string { return &s.Prefix }, prefix)},
	}
}

// cycleDirectives are the parameters of schedules; cycleUse tells which kind
// of schedule each belongs to.
func cycleDirectives() []directive {
	return []directive{
		{name: "CycleType", set: enum(func(s *Settings) *CycleType { return &s.CycleType }, SimpleCycle, HanoiCycle)},
		{name: "Frequency", set: number(func(s *Settings) *int { return &s.Frequency }, 1, maxCount)},
		{name: "Phase", set: number(func(s *Settings) *int { return &s.Phase }, 0, maxCount)},
		{name: "Diffs", set: number(func(s *Settings) *int { return &s.Diffs }, 0, maxCount)},
		{name: "Fulls", set: number(func(s *Settings) *int { return &s.Fulls }, 1, maxCount)},
		{name: "Discs", set: number(func(s *Settings) *int { return &s.Discs }, 1, 30)},
		{name: "ArchiveOldestDisc", set: boolean(func(s *Settings) *bool { return &s.ArchiveOldestDisc })},
	}
}

// cycleUse returns the kind of schedule that a directive is for, or "".
func cycleUse(name string) CycleType {
	switch name {
	case "Phase", "Diffs", "Fulls":
		return SimpleCycle
	case "Discs", "ArchiveOldestDisc":
		return HanoiCycle
	}
	return ""
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
			d := directive{name: o.Name, kinds: []string{kind.Name}, repeat: o.Repeat, set: option(o)}
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

// jobDirectives say what happens around a job.
func jobDirectives() []directive {
	return []directive{
		{name: "Timeout", set: duration(func(s *Settings) *time.Duration { return &s.Timeout }, 0)},
		{name: "Nice", set: number(func(s *Settings) *int { return &s.Nice }, -20, 19)},
		{name: "RunBefore", words: true, set: command(func(s *Settings) *[]string { return &s.RunBefore })},
		{name: "RunAfter", words: true, set: command(func(s *Settings) *[]string { return &s.RunAfter })},
		{name: "RunOnFailure", words: true, set: command(func(s *Settings) *[]string { return &s.RunOnFailure })},
	}
}

// logDirectives say what is logged. Those of the run as a whole stand at the top
// level; the level can differ from job to job.
func logDirectives() []directive {
	return []directive{
		{name: "LogLevel", set: enum(func(s *Settings) *string { return &s.LogLevel }, "debug", "info", "warn", "error")},
		{name: "LogFile", where: atTop, set: text(func(s *Settings) *string { return &s.LogFile }, absolute)},
		{name: "LogFormat", where: atTop, set: enum(func(s *Settings) *string { return &s.LogFormat }, "text", "json")},
		{name: "LogMaxSize", where: atTop, set: size(func(s *Settings) *int64 { return &s.LogMaxSize }, 1, maxBytes)},
		{name: "LogMaxBackups", where: atTop, set: number(func(s *Settings) *int { return &s.LogMaxBackups }, 1, maxCount)},
		{name: "Syslog", where: atTop, set: boolean(func(s *Settings) *bool { return &s.Syslog })},
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
			all = append(all, one)
		}
	}
	return all
}
