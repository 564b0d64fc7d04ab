package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"napback/internal/compress"
	"napback/internal/slot"

	"github.com/google/go-cmp/cmp"

	"napback/napback/source"
	"napback/napback/source/kinds"
)

// directiveCases have, for each directive, what a line of it changes in the
// settings of a job. HOW says where the line stands.
func directiveCases() map[string][]struct {
	value string
	want  func(*Settings)
} {
	type c = []struct {
		value string
		want  func(*Settings)
	}
	told := func(name string, values ...string) func(*Settings) {
		return func(s *Settings) { s.Told = with(s.Told, name, values) }
	}
	return map[string]c{
		"Bucket":         {{"dev.example.com.1", func(s *Settings) { s.Bucket = "dev.example.com.1" }}},
		"DiffDir":        {{"/var/lib/napback", func(s *Settings) { s.DiffDir = "/var/lib/napback" }}},
		"TempDir":        {{"/tmp", func(s *Settings) { s.TempDir = "/tmp" }}},
		"UseTempFile":    {{"0", func(s *Settings) { s.UseTempFile = false }}},
		"S3KeyFile":      {{`"/etc/my key"`, told("S3KeyFile", "/etc/my key")}},
		"Profile":        {{"backup", told("Profile", "backup")}},
		"Endpoint":       {{"https://s3.example.org:9000", told("Endpoint", "https://s3.example.org:9000")}, {"file:///mnt/usb", told("Endpoint", "file:///mnt/usb")}, {"http://[::1]:7070/base", told("Endpoint", "http://[::1]:7070/base")}},
		"Region":         {{"eu-central-1", told("Region", "eu-central-1")}},
		"PathStyle":      {{"on", told("PathStyle", "on")}, {"off", told("PathStyle", "off")}},
		"ChunkSize":      {{"25000000", told("ChunkSize", "25000000")}, {"64MiB", told("ChunkSize", "67108864")}, {"256MiB", told("ChunkSize", "268435456")}},
		"Concurrency":    {{"3", told("Concurrency", "3")}},
		"Memory":         {{"256MiB", told("Memory", "268435456")}},
		"BandwidthLimit": {{"2M", told("BandwidthLimit", "2000000")}},
		"Spool": {{"/var/tmp", told("Spool", "/var/tmp")}, {"/tmp\nChunkSize 1G", func(s *Settings) {
			s.Told = Told{"Spool": {"/tmp"}, "ChunkSize": {"1000000000"}}
		}}},
		"StorageClass": {{"STANDARD_IA", told("StorageClass", "STANDARD_IA")}},
		"SSE":          {{"aws:KMS", told("SSE", "aws:kms")}},
		"SSEKMSKey": {{"arn:aws:kms:x:1:key/2\nSSE aws:kms:dsse", func(s *Settings) {
			s.Told = Told{"SSEKMSKey": {"arn:aws:kms:x:1:key/2"}, "SSE": {"aws:kms:dsse"}}
		}}},
		"NeverDie":           {{"no", func(s *Settings) { s.NeverDie = false }}, {"TRUE", func(s *Settings) { s.NeverDie = true }}},
		"RetryWait":          {{"90s", func(s *Settings) { s.RetryWait = 90 * time.Second }}},
		"GpgRecipient":       {{"0xABCDEF", func(s *Settings) { s.GpgRecipients = []string{"0xABCDEF"} }}},
		"GpgKeyring":         {{"/etc/keys.gpg", func(s *Settings) { s.GpgKeyring = "/etc/keys.gpg" }}},
		"SignKey":            {{"/etc/sign.pgp", told("SignKey", "/etc/sign.pgp")}},
		"SignPassphraseFile": {{"/etc/word", told("SignPassphraseFile", "/etc/word")}},
		"VerifyKey":          {{`"/a b.pgp"`, told("VerifyKey", "/a b.pgp")}, {"/a\nVerifyKey /b", told("VerifyKey", "/a", "/b")}},
		"Compression":        {{"XZ", func(s *Settings) { s.Compression = "xz" }}, {"none", func(s *Settings) { s.Compression = compress.None }}},
		"Prefix":             {{"%h", func(s *Settings) { s.Prefix = "%h" }}, {`""`, func(s *Settings) { s.Prefix = "" }}},
		"CycleType":          {{"hanoicycle", func(s *Settings) { s.CycleType = HanoiCycle }}},
		"Frequency":          {{"7", func(s *Settings) { s.Frequency = 7 }}},
		"Phase":              {{"0", func(s *Settings) { s.Phase = 0 }}},
		"FullOn":             {{"sunday", func(s *Settings) { s.FullOn = new(time.Sunday) }}, {"TUE", func(s *Settings) { s.FullOn = new(time.Tuesday) }}},
		"Diffs":              {{"0", func(s *Settings) { s.Diffs = new(0) }}},
		"Fulls":              {{"12", func(s *Settings) { s.Fulls = new(12) }}},
		"Discs":              {{"30", func(s *Settings) { s.Discs = 30 }}},
		"ArchiveOldestDisc":  {{"yes", func(s *Settings) { s.ArchiveOldestDisc = true }}},
		"Exclude":            {{"*.o", func(s *Settings) { s.Options = source.Options{"Exclude": {"*.o"}} }}, {"'#*#'", func(s *Settings) { s.Options = source.Options{"Exclude": {"#*#"}} }}, {"/x/cache//", func(s *Settings) { s.Options = source.Options{"Exclude": {"/x/cache"}} }}},
		"ExcludeFrom":        {{"/etc/excludes", func(s *Settings) { s.Options = source.Options{"ExcludeFrom": {"/etc/excludes"}} }}},
		"OneFileSystem":      {{"1", func(s *Settings) { s.Options = source.Options{"OneFileSystem": {"on"}} }}},
		"TarOptions":         {{`--exclude-caches "--exclude=a b"`, func(s *Settings) { s.Options = source.Options{"TarOptions": {"--exclude-caches", "--exclude=a b"}} }}},
		"MySQLOptions":       {{"--hex-blob -P 3307", func(s *Settings) { s.Options = source.Options{"MySQLOptions": {"--hex-blob", "-P", "3307"}} }}},
		"PostgreSQLOptions":  {{"--no-owner", func(s *Settings) { s.Options = source.Options{"PostgreSQLOptions": {"--no-owner"}} }}},
		"Timeout":            {{"12h", func(s *Settings) { s.Timeout = 12 * time.Hour }}, {"0", func(s *Settings) { s.Timeout = 0 }}},
		"Nice":               {{"-20", func(s *Settings) { s.Nice = -20 }}, {"19", func(s *Settings) { s.Nice = 19 }}},
		"RunBefore":          {{`/bin/hook "a b" ''`, func(s *Settings) { s.RunBefore = []string{"/bin/hook", "a b", ""} }}},
		"RunAfter":           {{"hook", func(s *Settings) { s.RunAfter = []string{"hook"} }}},
		"RunOnFailure":       {{"hook", func(s *Settings) { s.RunOnFailure = []string{"hook"} }}},
		"RunFinished":        {{"hook a", func(s *Settings) { s.RunFinished = []string{"hook", "a"} }}},
		"PingURL":            {{"https://hc.example.org/1-2-3", func(s *Settings) { s.Notify = s.Notify.With("PingURL", "https://hc.example.org/1-2-3") }}},
		"MetricsFile":        {{"/var/lib/node/napback.prom", func(s *Settings) { s.MetricsFile = "/var/lib/node/napback.prom" }}},
		"LogFile":            {{"/var/log/napback.log", func(s *Settings) { s.LogFile = "/var/log/napback.log" }}},
		"LogLevel":           {{"Debug", func(s *Settings) { s.LogLevel = "debug" }}},
		"LogFormat":          {{"json", func(s *Settings) { s.LogFormat = "json" }}},
		"LogMaxSize":         {{"10M", func(s *Settings) { s.LogMaxSize = 10e6 }}},
		"LogMaxBackups":      {{"1", func(s *Settings) { s.LogMaxBackups = 1 }}},
		"Syslog":             {{"on", func(s *Settings) { s.Syslog = true }}},
		"MailTo":             {{"root@example.org", func(s *Settings) { s.Notify = s.Notify.With("MailTo", "root@example.org") }}, {"root", func(s *Settings) { s.Notify = s.Notify.With("MailTo", "root") }}},
		"MailPasswordFile": {{"/etc/mail.password\nMailServer smtp://ann@mail.example.org", func(s *Settings) {
			s.Notify = s.Notify.With("MailPasswordFile", "/etc/mail.password").With("MailServer", "smtp://ann@mail.example.org")
		}}},
		"MailFrom":   {{`"Backup <b@example.org>"`, func(s *Settings) { s.Notify = s.Notify.With("MailFrom", "Backup <b@example.org>") }}},
		"MailServer": {{"mail.example.org:587", func(s *Settings) { s.Notify = s.Notify.With("MailServer", "mail.example.org:587") }}},
		"MailOn":     {{"Always", func(s *Settings) { s.Notify = s.Notify.With("MailOn", "always") }}},
	}
}

func TestEachDirectiveSetsItsField(t *testing.T) {
	cases := directiveCases()
	for _, d := range directives(nil) { // options of sources are their own affair
		if len(cases[d.name]) == 0 {
			t.Errorf("%s has no case", d.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		for _, c := range cases[name] {
			text := fmt.Sprintf("%s %s\nDirectory /x/y\n", strings.ToUpper(name), c.value)
			for _, line := range strings.Split(strings.TrimSpace(required), "\n") {
				if first, _, _ := strings.Cut(line, " "); first != name {
					text += line + "\n"
				}
			}
			got := parse(t, text).Jobs[0].Settings
			want := parse(t, required+"Directory /x/y").Jobs[0].Settings
			c.want(&want)
			schedule, err := want.schedule(kinds.Of("Directory"))
			if err != nil {
				t.Fatal(err)
			}
			want.Schedule = schedule
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s: %s", name, c.value, diff)
			}
		}
	}
}

func TestSettingsAreInheritedFromTheFileAndTheCycle(t *testing.T) {
	c := parse(t, `
Directory /top
<Cycle c>
  Directory /early
  <Directory /block>
    Fulls 9
    Exclude in-block
    GpgRecipient block@x
    TarOptions -S
    ExcludeFrom /block.list
    Profile p
  </Directory>
  Directory /late
  Fulls 8
  Diffs 2
  Exclude in-cycle
  GpgRecipient c1@x
  GpgRecipient c2@x
</Cycle>
Bucket b
DiffDir /d
Exclude on-top
ExcludeFrom /top.list
GpgRecipient top@x
S3KeyFile /k
Fulls 7
TarOptions --exclude-caches
TarOptions --exclude-vcs
`)
	type view struct {
		Schedule                                       slot.Schedule
		Exclude, ExcludeFrom, GpgRecipient, TarOptions string
		Keys                                           string
	}
	got := map[string]view{}
	for _, j := range c.Jobs {
		s := j.Settings
		got[j.Source] = view{s.Schedule, strings.Join(s.Options["Exclude"], " "), strings.Join(s.Options["ExcludeFrom"], " "),
			strings.Join(s.GpgRecipients, " "), strings.Join(s.Options["TarOptions"], " "), s.told("S3KeyFile") + "," + s.Profile()}
	}
	cycle := view{slot.Simple{Frequency: 1, Diffs: 2, Fulls: 8}, "on-top in-cycle", "/top.list", "c1@x c2@x", "--exclude-caches --exclude-vcs", "/k,"}
	want := map[string]view{
		"/top":   {slot.Simple{Frequency: 1, Fulls: 7}, "on-top", "/top.list", "top@x", "--exclude-caches --exclude-vcs", "/k,"},
		"/early": cycle,
		"/late":  cycle,
		"/block": {slot.Simple{Frequency: 1, Diffs: 2, Fulls: 9}, "on-top in-cycle in-block", "/top.list /block.list", "block@x", "-S", ",p"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if s := c.Settings; *s.Fulls != 7 || len(s.Options["Exclude"]) != 1 || s.Schedule != nil {
		t.Errorf("the settings of the top level are %+v", s)
	}
}

func TestSiblingsDoNotShareLists(t *testing.T) {
	c := parse(t, required+"Exclude 1\nExclude 2\nExclude 3\n<Directory /a>\nExclude x\n</Directory>\n<Directory /b>\nExclude y\n</Directory>\n")
	for i, want := range []string{"1 2 3 x", "1 2 3 y"} {
		if got := strings.Join(c.Jobs[i].Settings.Options["Exclude"], " "); got != want {
			t.Errorf("job %d excludes %q, want %q", i, got, want)
		}
	}
}

func TestDatabasesHaveNoDiffs(t *testing.T) {
	c := parse(t, required+"Diffs 3\nFulls 5\nMySQL a\nPostgreSQL b\nDirectory /c\nSubversion /d\n")
	for i, want := range []string{"{1 0 0 5}", "{1 0 0 5}", "{1 0 3 5}", "{1 0 3 5}"} {
		if got := fmt.Sprint(c.Jobs[i].Settings.Schedule); got != want {
			t.Errorf("%v has the schedule %v, want %v", c.Jobs[i], got, want)
		}
	}
}

func TestWhatSchedulesAJobHas(t *testing.T) {
	for text, want := range map[string]string{
		"Directory /a":          "{1 0 6 4}",
		"Fulls 3\nDirectory /a": "{1 0 0 3}",
		"Diffs 3\nDirectory /a": "{1 0 3 4}",
		"Diffs 3\n<Cycle c>\nFulls 9\nDirectory /a\n</Cycle>": "{1 0 3 9}", // what is inherited is given
		"Fulls 9\n<Cycle c>\nDiffs 3\nDirectory /a\n</Cycle>": "{1 0 3 9}",
		"Fulls 3\nMySQL a":                                      "{1 0 0 3}",
		"Phase 9\nFrequency 2\nDirectory /a":                    "{2 9 6 4}",
		"Phase 9\nFrequency 2\nMySQL a":                         "{2 1 0 4}", // due on the same days
		"FullOn sunday\nDirectory /a":                           "{1 4 6 4}",
		"FullOn Thursday\nDirectory /a":                         "{1 0 6 4}",
		"FullOn wed\nFrequency 7\nDiffs 3\nDirectory /a":        "{7 1 3 4}",
		"FullOn wed\nFrequency 7\nDiffs 3\nMySQL a":             "{7 1 0 4}",
		"FullOn sunday\nMySQL a":                                "{1 0 0 4}",
		"FullOn sunday\n<MySQL a>\nPhase 0\nFulls 14\n</MySQL>": "{1 0 0 14}",
		"Phase 3\n<MySQL a>\nFullOn mon\nFrequency 7\n</MySQL>": "{7 3 0 4}",
		"CycleType HanoiCycle\nFulls 3\nDirectory /a":           "", // an error
	} {
		c, err := load("/c/f", Env{Host: "h"}, memory{"/c/f": required + text})
		if want == "" {
			if err == nil {
				t.Errorf("%q is not refused", text)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if got := fmt.Sprint(c.Jobs[0].Settings.Schedule); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestWhatProtectsLittleIsNotedOnce(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"nothing encrypted": {"Directory /a\nDirectory /b", []string{"no GpgRecipient: backups are not encrypted"}},
		"some not encrypted": {"<Cycle c>\nGpgRecipient x@y\nDirectory /a\n</Cycle>\nDirectory /b\nMySQL m",
			[]string{"no GpgRecipient, so not encrypted: Directory /b, MySQL m"}},
		"one FULL": {"GpgRecipient x@y\nFulls 1\nMySQL a\nMySQL b",
			[]string{"fulls 1: only the newest backup is kept; 2 or more keep older ones (MySQL a, MySQL b)"}},
		"FULLs alone by omission": {"GpgRecipient x@y\nFulls 3\nDirectory /a\nMySQL b\nSubversion /c\n<Directory /d>\nDiffs 0\n</Directory>\n<Directory /e>\nCycleType HanoiCycle\n</Directory>",
			[]string{"Fulls without Diffs: every backup is a FULL; Diffs 0 says so, Diffs 6 makes increments between them (Directory /a, Subversion /c)"}},
		"all well": {"GpgRecipient x@y\nDirectory /a", nil},
	} {
		if diff := cmp.Diff(c.want, parse(t, required+c.text).Notes); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
