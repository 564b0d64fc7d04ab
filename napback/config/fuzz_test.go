package config

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/address"
	"napback/internal/cli"
	"napback/napback/source"
)

// render writes a job as a configuration of its own.
func render(j Job) string {
	var top, block strings.Builder
	write := func(b *strings.Builder, name string, words ...string) {
		b.WriteString(name)
		for _, word := range words {
			b.WriteString(` "` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word) + `"`)
		}
		b.WriteByte('\n')
	}
	set := func(b *strings.Builder, name, value string) {
		if value != "" {
			write(b, name, value)
		}
	}
	each := func(b *strings.Builder, name string, values []string) {
		for _, v := range values {
			write(b, name, v)
		}
	}
	all := func(b *strings.Builder, name string, words []string) {
		if len(words) > 0 {
			write(b, name, words...)
		}
	}
	number := func(name string, n int64) {
		if n != 0 {
			write(&block, name, fmt.Sprint(n))
		}
	}
	s := j.Settings
	set(&top, "DiffDir", s.DiffDir)
	set(&top, "LogFile", s.LogFile)
	set(&top, "MetricsFile", s.MetricsFile)
	set(&top, "LogFormat", s.LogFormat)
	if s.LogMaxSize != 0 {
		write(&top, "LogMaxSize", fmt.Sprint(s.LogMaxSize))
	}
	if s.LogMaxBackups != 0 {
		write(&top, "LogMaxBackups", fmt.Sprint(s.LogMaxBackups))
	}
	write(&top, "Syslog", fmt.Sprint(s.Syslog))
	for name, values := range s.Notify {
		if name != "PingURL" {
			each(&top, name, values)
		}
	}

	set(&block, "Bucket", s.Bucket)
	set(&block, "TempDir", s.TempDir)
	write(&block, "UseTempFile", fmt.Sprint(s.UseTempFile))
	for name, values := range s.Told {
		each(&block, name, values)
	}
	write(&block, "NeverDie", fmt.Sprint(s.NeverDie))
	write(&block, "RetryWait", s.RetryWait.String())
	each(&block, "GpgRecipient", s.GpgRecipients)
	set(&block, "GpgKeyring", s.GpgKeyring)
	write(&block, "Compression", s.Compression)
	set(&block, "Prefix", s.Prefix)
	write(&block, "CycleType", string(s.CycleType))
	number("Frequency", int64(s.Frequency))
	if s.CycleType == HanoiCycle {
		number("Discs", int64(s.Discs))
		write(&block, "ArchiveOldestDisc", fmt.Sprint(s.ArchiveOldestDisc))
	} else {
		if s.FullOn != nil {
			write(&block, "FullOn", s.FullOn.String())
		} else {
			number("Phase", int64(s.Phase))
		}
		if s.Diffs != nil {
			write(&block, "Diffs", fmt.Sprint(*s.Diffs))
		}
		if s.Fulls != nil {
			number("Fulls", int64(*s.Fulls))
		}
	}
	for _, o := range j.Kind.Options {
		if o.Form == source.Arguments || o.Form == source.Program {
			all(&block, o.Name, s.Options[o.Name])
		} else {
			each(&block, o.Name, s.Options[o.Name])
		}
	}
	write(&block, "Timeout", s.Timeout.String())
	write(&block, "Nice", fmt.Sprint(s.Nice))
	all(&block, "RunBefore", s.RunBefore)
	all(&block, "RunAfter", s.RunAfter)
	all(&block, "RunOnFailure", s.RunOnFailure)
	all(&top, "RunFinished", s.RunFinished)
	each(&block, "PingURL", s.Notify["PingURL"])
	set(&block, "LogLevel", s.LogLevel)
	var opening strings.Builder
	all(&opening, "<"+j.Kind.Name, []string{j.Source})
	return fmt.Sprintf("%s%s>\n%s</%s>\n", top.String(), strings.TrimSuffix(opening.String(), "\n"), block.String(), j.Kind)
}

var hasPlace = regexp.MustCompile(`^[^\n]*:[0-9]+: .`)

// FuzzLoad: no text makes the parser panic; an error always tells its place;
// what parses is what its jobs, written out again, parse to.
func FuzzLoad(f *testing.F) {
	manual, err := os.ReadFile("testdata/manual.conf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(manual)
	for name, cases := range directiveCases() {
		for _, c := range cases {
			f.Add([]byte(fmt.Sprintf("%s<Directory /x/y>\n\t%s %s\n</Directory>\r\n", required, name, c.value)))
		}
	}
	f.Add([]byte("\ufeff" + required + "Include *\nDirectory \"/a \\\"b\\\\\" # x\n<Cycle c>\n MySQL /s:d \\\n</Cycle>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := load("/c/f", Env{Host: "h"}, memory{"/c/f": string(data), "/c/other": "Fulls 3\n<Cycle i>\nDirectory /i\n</Cycle>"})
		if err != nil {
			if cli.ExitStatus(err) != cli.Usage {
				t.Fatalf("exit status %d: %v", cli.ExitStatus(err), err)
			}
			for _, line := range strings.Split(err.Error(), "\n") {
				if !hasPlace.MatchString(line) {
					t.Fatalf("an error without a place: %q", line)
				}
			}
			return
		}
		taken := map[string]bool{}
		for _, j := range c.Jobs {
			if taken[j.Name] || address.CheckName(j.Name, maxName) != nil || j.Settings.Schedule.Validate() != nil {
				t.Fatalf("a job that cannot be: %+v", j)
			}
			taken[j.Name] = true
			again, err := load("/c/g", Env{Host: "h"}, memory{"/c/g": render(j)})
			if err != nil && strings.Contains(err.Error(), "no archive can have the name") {
				continue // the file gives it a Name
			}
			if err != nil {
				t.Fatalf("%s\nis refused: %v", render(j), err)
			}
			want := j.Settings
			want.Options = maps.Clone(want.Options)
			maps.DeleteFunc(want.Options, func(name string, _ []string) bool {
				return !slices.ContainsFunc(j.Kind.Options, func(o source.Option) bool { return o.Name == name })
			})
			if len(want.Options) == 0 {
				want.Options = nil
			}
			if got := again.Jobs[0]; !cmp.Equal(dormant(want), dormant(got.Settings)) || got.Source != j.Source {
				t.Fatalf("%s\nis read as %s", render(j), cmp.Diff(dormant(want), dormant(got.Settings)))
			}
		}
	})
}

// dormant resets what a schedule of the other type would use: it cannot be
// written in the same scope.
func dormant(s Settings) Settings {
	d := defaults()
	if s.CycleType == HanoiCycle {
		s.Phase, s.FullOn, s.Diffs, s.Fulls = d.Phase, d.FullOn, d.Diffs, d.Fulls
	} else {
		s.Discs, s.ArchiveOldestDisc = d.Discs, d.ArchiveOldestDisc
	}
	return s
}
