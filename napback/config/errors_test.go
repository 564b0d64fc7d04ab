package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"napback/internal/cli"

	"github.com/google/go-cmp/cmp"
)

func TestEveryErrorHasItsOwnWords(t *testing.T) {
	// The first line of each text is line 4 of the file.
	for _, c := range []struct{ text, want string }{
		{"Exlude x", `f:4: unknown directive "Exlude": did you mean Exclude?`},
		{"fullS 2\nfulsl 3", `f:5: unknown directive "fulsl": did you mean Fulls?`},
		{"Wibble x", `f:4: unknown directive "Wibble"`},
		{"Nx 1", `f:4: unknown directive "Nx"`},
		{"<Directry /x>\nDiffs 2\nName y\n<MySQL m>\n</MySQL>\n</Directry>", `f:4: unknown block <Directry>: did you mean Directory?`},
		{"<Bucket x>\n</Bucket>", `f:4: Bucket is no block: want Bucket VALUE`},
		{"Cycle x", `f:4: Cycle is a block: want <Cycle NAME> ... </Cycle>`},
		{"<Cycle>\nDirectory /y\n</Cycle>", `f:4: Cycle takes one value: want <Cycle VALUE>; quote a value with blanks`},
		{"<Directory /a b>\n</Directory>", `f:4: Directory takes one value: want <Directory VALUE>; quote a value with blanks`},
		{"<Cycle a>\n</Cycle>\n<cycle a>\n</cycle>", `f:6: the name of <cycle a> is taken by the one at f:4: each Cycle needs its own`},
		{"<Cycle a>\n<Cycle b>\n</Cycle>\n</Cycle>", `f:5: Cycle cannot stand in <Cycle a>: it belongs at the top level`},
		{"<Directory /a>\n<MySQL b>\n</MySQL>\nSubversion /c\n</Directory>",
			"f:5: MySQL cannot stand in <Directory /a>: it belongs at the top level or in a <Cycle>\n" +
				"f:7: Subversion cannot stand in <Directory /a>: it belongs at the top level or in a <Cycle>"},
		{"Name x", `f:4: Name cannot stand at the top level: it belongs in the block of one source, as <Directory PATH>`},
		{"<Cycle c>\nName x\n</Cycle>", `f:5: Name cannot stand in <Cycle c>: it belongs in the block of one source, as <Directory PATH>`},
		{"<Directory /a>\nName n\nName y\n</Directory>", `f:6: Name is set twice here, first at f:5`},
		{"<Cycle c>\nLogFile /x\nDiffDir /y\n</Cycle>",
			"f:5: LogFile cannot stand in <Cycle c>: it belongs at the top level, outside every block\n" +
				"f:6: DiffDir cannot stand in <Cycle c>: it belongs at the top level, outside every block"},
		{"<MySQL m>\nExclude x\nPostgreSQLOptions -x\n</MySQL>",
			"f:5: Exclude cannot stand in <MySQL m>: it belongs to Directory\n" +
				"f:6: PostgreSQLOptions cannot stand in <MySQL m>: it belongs to PostgreSQL"},
		{"Bucket c", `f:4: Bucket is set twice here, first at f:1`},
		{"<Directory /a>\nFulls 2\nfulls 3\n</Directory>", `f:6: Fulls is set twice here, first at f:5`},
		{"S3KeyFile /k\nProfile p", `f:5: Profile and S3KeyFile exclude each other, the first is at f:4`},
		{"Region", `f:4: Region takes one value, not 0`},
		{"Exclude My Files", `f:4: Exclude takes one value, not 2: quote a value with blanks`},
		{"TarOptions", `f:4: TarOptions takes at least one value, not 0`},
		{"Include", `f:4: Include takes one value, not 0`},
		{"Directory", `f:4: Directory takes one value, not 0`},
		{"<Directory /a>\nFulls 2", `f:4: <Directory /a> is never closed: want </Directory>`},
		{"<Cycle c>\n<Directory /a>\n</Cycle>\nRegion x", `f:5: <Directory /a> is not closed before the </Cycle> at line 6`},
		{"</Cycle>", `f:4: </Cycle> closes nothing: no block is open`},
		{"<Cycle c>\n</Directory>\n</Cycle>", `f:5: </Directory> closes nothing: the open block is <Cycle c> of line 4`},
		{"<Cycle c>\n</Cycle c>", `f:5: text in the line that closes a block: want </Cycle>`},
		{"<Cycle c", `f:4: the line of a block must end with >`},
		{"<Cycle c> Fulls 2\n</Cycle>", "f:4: the line of a block must end with >\nf:5: </Cycle> closes nothing: no block is open"},
		{`<Cycle "c"> x`, `f:4: text after the > of a block's line`},
		{"<>", `f:4: a block without a name`},
		{`Exclude "a`, `f:4: a quote that is not closed on its line`},
		{"Region \\\n'a\nTimeout 1h", `f:5: a quote that is not closed on its line`},
		{`Exclude "a"b`, `f:4: text right after a closing quote: a value is quoted as a whole`},
		{"RunBefore a \\ \n", `f:4: a \ that does not end the line: remove what follows it, or quote it`},
		{"Region a\rb", `f:4: control character '\r': this is not a text file`},
		{"\x00", `f:4: control character '\x00': this is not a text file`},
		{"Exclude /x/y/\nDirectory /x/y", `f:5: Exclude "/x/y" leaves out "/x/y" itself: nothing of it would be backed up`},
		{"Exclude lib\nDirectory /var/lib/mysql", `f:5: Exclude "lib" leaves out "/var/lib/mysql" itself: nothing of it would be backed up`},
		{"<Cycle c>\nExclude /var/*\nDirectory /var/www/x\n</Cycle>", `f:6: Exclude "/var/*" leaves out "/var/www/x" itself: nothing of it would be backed up`},
		{"Exclude /v*/w\nDirectory /var/w/x", `f:5: Exclude "/v*/w" leaves out "/var/w/x" itself: nothing of it would be backed up`},
		{"ChunkSize 257MiB", `f:4: a ChunkSize of 269.5 MB does not fit into the Memory of 268.4 MB`},
		{"Memory 20M", `f:4: a ChunkSize of 25.0 MB does not fit into the Memory of 20.0 MB`},
		{"SSEKMSKey k", `f:4: SSEKMSKey needs SSE aws:kms`},
		{"SSEKMSKey k\n<Directory /y>\nSSE AES256\n</Directory>", `f:4: SSEKMSKey needs SSE aws:kms`},
		{"UseTempFile 1", `f:4: UseTempFile needs a TempDir to put the file in`},
		{"Phase 14\nFrequency 2", `f:5: phase 14: want 0 to 13, as a FULL comes every 14 days`},
		{"Phase 2\nFrequency 2\nFulls 3", `f:6: phase 2: want 0 to 1, as a FULL comes every 2 days`},
		{"Phase 2\nFulls 3\nMySQL x", "f:5: phase 2: want 0, as a FULL comes every day"},
		{"FullOn sunday\nDiffs 3", `f:5: full-on sunday: a FULL comes every 4 days (frequency 1, diffs 3), which falls on the same weekday only if the days are a multiple of 7`},
		{"FullOn sunday\n<MySQL x>\nFulls 14\n</MySQL>", `f:6: full-on sunday: a FULL comes every day (frequency 1, diffs 0), which falls on the same weekday only if the days are a multiple of 7`},
		{"FullOn sunday\nPhase 0", `f:5: Phase and FullOn exclude each other, the first is at f:4`},
		{"Phase 1\nFullOn sunday", `f:5: FullOn and Phase exclude each other, the first is at f:4`},
		{"LogConfig /etc/s3napback.logconfig", `f:4: unknown directive "LogConfig"`},
		{"log4perl.rootLogger = INFO, screen", `f:4: unknown directive "log4perl.rootLogger"`},
		{"FullOn caturday", `f:4: FullOn "caturday": want a weekday, monday to sunday`},
		{"CycleType HanoiCycle\nFullOn sunday", `f:5: FullOn has no meaning in a HanoiCycle: remove it, or add CycleType SimpleCycle`},
		{"Fulls 1000000\nDiffs 6\nDirectory /z", "f:5: fulls 1000000 with diffs 6: these are 7000000 slots, want at most 1000000"},
		{"<Cycle c>\nDiscs 4\nDirectory /y\n</Cycle>", `f:5: Discs has no meaning in a SimpleCycle: remove it, or add CycleType HanoiCycle`},
		{"<Cycle c>\nCycleType HanoiCycle\nDiffs 4\nDirectory /y\n</Cycle>", `f:6: Diffs has no meaning in a HanoiCycle: remove it, or add CycleType SimpleCycle`},
		{"<Directory /y>\nArchiveOldestDisc on\n</Directory>", `f:5: ArchiveOldestDisc has no meaning in a SimpleCycle: remove it, or add CycleType HanoiCycle`},
		{"CycleType HanoiCycle\nPhase 0", `f:5: Phase has no meaning in a HanoiCycle: remove it, or add CycleType SimpleCycle`},
		{"Directory etc", `f:4: Directory "etc": want an absolute path`},
		{"Directory ~/x", `f:4: Directory "~/x": want an absolute path`},
		{"Directory /a/../b", `f:4: Directory "/a/../b": want a path without the component ".."`},
		{"SubversionDir repos", `f:4: SubversionDir "repos": want an absolute path`},
		{"MySQL -x", `f:4: MySQL "-x": "-x" is not the name of a database or user`},
		{"MySQL s:db", `f:4: MySQL "s:db": want DATABASE, all, or /SOCKET:DATABASE`},
		{"PostgreSQL ann@", `f:4: PostgreSQL "ann@": "" is not the name of a database or user`},
		{"Directory /a:b", `f:4: Directory /a:b: no archive can have the name "a:b": a name cannot hold ':'`},
		{"Directory \"/a\xff\"", `f:4: Directory /a` + "\xff" + `: no archive can have the name "a\xff": the name is not UTF-8`},
		{"<Directory /y>\nName a//b\n</Directory>", `f:5: Directory /y: no archive can have the name "a//b": a name cannot begin or end with '/' or hold '//'`},
		{"<Directory /y>\nName ../b\n</Directory>", `f:5: Directory /y: no archive can have the name "../b": a name cannot hold the component ".."`},
		{"<Directory /y>\nName ''\n</Directory>", `f:5: Directory /y: no archive can have the name "": the name is empty`},
		{"Directory /" + strings.Repeat("x", 901), `f:4: Directory /` + strings.Repeat("x", 901) + `: no archive can have the name "` + strings.Repeat("x", 901) + `": the name is 1 bytes too long`},
	} {
		got := reasons(t, memory{"f": required + "Directory /x\n" + c.text})
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s\n%s", c.text, diff)
		}
	}
}

func TestABadValueSaysWhatIsWanted(t *testing.T) {
	whole := func(low, high int) string { return fmt.Sprintf("want a whole number from %d to %d", low, high) }
	const (
		size     = "want a number of bytes, or with a unit as in 25M, 64MiB"
		onOff    = "want on or off (or yes, no, true, false, 1, 0)"
		path     = "want an absolute path"
		url      = "unknown scheme: want https://HOST, http://HOST:PORT or file:///DIR"
		word     = "want one word without blanks"
		name     = "want a bucket's name: letters, digits, dots and hyphens"
		chain    = " would break the chain that tar is part of"
		span     = "want a time span with its unit, as in 90s, 30m, 12h"
		password = " would show a password to everyone on the host, or ask for one: write it into .my.cnf"
	)
	for _, c := range []struct{ directive, value, want string }{
		{"Endpoint", "s3.example.org", url}, {"Endpoint", "ftp://x", url}, {"Endpoint", "https://", "no host"},
		{"Endpoint", "file://mnt/usb", "not an absolute path: write file:///DIR, with three slashes"}, {"Endpoint", "file:usb", "not an absolute path: write file:///DIR, with three slashes"},
		{"Endpoint", "https://u:p@x", "credentials do not belong here: use S3KeyFile or Profile"},
		{"Endpoint", "https://x/?a=b", "neither a query nor a fragment belongs there: in the path of a directory write %3F for ? and %23 for #"},
		{"Region", "'a b'", word}, {"Profile", "''", word}, {"S3KeyFile", "s3.key", path}, {"S3KeyFile", "~/s3.key", path},
		{"PathStyle", "maybe", onOff}, {"NeverDie", "2", onOff}, {"Syslog", "''", onOff}, {"ArchiveOldestDisc", "y", onOff},
		{"ChunkSize", "25X", size}, {"ChunkSize", "-1", size}, {"ChunkSize", "0", "want at least 1 B"}, {"ChunkSize", "6GiB", "want at most 5.4 GB"},
		{"Memory", "lots", size}, {"BandwidthLimit", "0", "want at least 1 B"}, {"LogMaxSize", "1.5M", size},
		{"Concurrency", "0", whole(1, 1000)}, {"Concurrency", "1001", whole(1, 1000)}, {"Frequency", "0", whole(1, 1000000)},
		{"Frequency", "1.5", whole(1, 1000000)}, {"Phase", "-1", whole(0, 1000000)}, {"Diffs", "six", whole(0, 1000000)},
		{"Fulls", "0", whole(1, 1000000)}, {"Discs", "31", whole(1, 30)}, {"Nice", "20", whole(-20, 19)}, {"Nice", "-21", whole(-20, 19)},
		{"LogMaxBackups", "99999999999999999999", whole(1, 1000000)}, {"LogMaxBackups", "0", whole(1, 1000000)},
		{"RetryWait", "30", span}, {"RetryWait", "0s", "want at least 1s"}, {"Timeout", "-1h", "want at least 0s"}, {"Timeout", "1 d", ""},
		{"SSE", "AES512", "want AES256, aws:kms or aws:kms:dsse"}, {"Compression", "bzip2", "want auto, zstd, gzip, xz or none"},
		{"CycleType", "Simple", "want SimpleCycle or HanoiCycle"}, {"LogLevel", "loud", "want debug, info, warn or error"},
		{"LogFormat", "xml", "want text or json"}, {"MailOn", "never", "want failure, warning or always"},
		{"GpgRecipient", "''", "want a value"}, {"Exclude", "''", "want a value"}, {"ExcludeFrom", "x", path}, {"GpgKeyring", "x", path},
		{"TempDir", "x", path}, {"LogFile", "x", path}, {"MetricsFile", "x.prom", path}, {"MetricsFile", "/x", "want a name that ends in .prom"}, {"Prefix", "%x", "want %h, the host's name, or %%, a percent sign, wherever there is a %"},
		{"Prefix", "a:b", "a name cannot hold ':'"}, {"Prefix", "a//b", "a name cannot begin or end with '/' or hold '//'"},
		{"TarOptions", "x", "want options, which begin with -"}, {"TarOptions", "-S --file=/dev/tape", "--file" + chain},
		{"TarOptions", "-g/x", "-g" + chain}, {"TarOptions", "--listed-incremental /x", "--listed-incremental" + chain},
		{"TarOptions", "--remove-files", "--remove-files" + chain},
		{"MySQLOptions", "--password=x", "--password" + password}, {"MySQLOptions", "-usql -px", "-p" + password},
		{"MySQLOptions", "--compact", "--compact leaves out the line by which a whole dump is known"},
		{"PostgreSQLOptions", "-vW", "-vW would ask for a password: write it into .pgpass"},
		{"RunBefore", "'' x", "want a value"}, {"PingURL", "hc.example.org", "want http:// or https:// and a host"},
		{"MailTo", "'ro ot'", "want a mail address, as in root@example.com, or a local name, as in root"}, {"MailPasswordFile", "x", path}, {"MailFrom", "@", "want a mail address, as in root@example.com"},
		{"MailServer", "''", word}, {"StorageClass", "''", word}, {"SSEKMSKey", "'a b'", word},
		{"Bucket", "a/b", name}, {"Bucket", "''", name}, {"Bucket", "a..b", name}, {"Bucket", ".a", name}, {"Bucket", "a:b", name},
		{"DiffDir", "state", path},
	} {
		if c.want == "" {
			continue
		}
		text := c.directive + " " + c.value + "\nDirectory /x\n"
		for _, line := range []string{"Bucket b\n", "DiffDir /d\n"} {
			if !strings.HasPrefix(line, c.directive) {
				text += line
			}
		}
		shown := strings.ReplaceAll(c.value, "'", "")
		want := fmt.Sprintf("f:1: %s %q: %s", c.directive, shown, c.want)
		if got := reasons(t, memory{"f": text}); got != want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.directive, c.value, got, want)
		}
	}
}

func TestMailThatCannotBeSentIsAnError(t *testing.T) {
	const usage = "want HOST[:PORT], smtp://[USER@]HOST[:PORT] or smtps://[USER@]HOST[:PORT]"
	for text, want := range map[string]string{
		"MailServer http://x":               "f:3: MailServer: " + usage,
		"MailServer smtp://ann@x":           "f:3: MailServer: ann needs a password: MailPasswordFile",
		"MailServer smtp://ann:secret@x":    "f:3: MailServer: a password does not belong there, but in a file: MailPasswordFile",
		"MailServer x\nMailPasswordFile /p": "f:4: MailPasswordFile: MailServer names no user: smtp://USER@HOST",
		"MailTo root\nMailServer x":         `f:4: MailTo "root": a name of this host means nothing to a MailServer: want an address with its domain`,
	} {
		got := reasons(t, memory{"f": "Bucket b\nDiffDir /d\n" + text + "\nDirectory /x\n"})
		if got != want {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
	c := parse(t, required+"MailFrom a@example.com\nMailServer mail.example.com\nGpgRecipient x@y\nDirectory /x")
	if want := []string{"there is no MailTo, so no mail is sent"}; !slices.Equal(c.Notes, want) {
		t.Errorf("notes %q", c.Notes)
	}
}

func TestWhatIsMissingIsNamed(t *testing.T) {
	const (
		bucket  = "f:1: Bucket is missing: add Bucket NAME at the top level"
		diffDir = "f:1: DiffDir is missing: add DiffDir DIRECTORY at the top level; it keeps what incremental backups need"
		source  = "f:1: no source: add Directory PATH or another one, or nothing is backed up"
	)
	for text, want := range map[string]string{
		"Directory /x\nDirectory /y": bucket + "\n" + diffDir,
		"DiffDir /d\n<Cycle c>\nBucket b\nDirectory /x\n</Cycle>\nDirectory /y": bucket,
		"Bucket b\nDirectory /x": diffDir,
		"":                       diffDir + "\n" + source,
		"DiffDir /d\n#Directory /x\n<Cycle c>\n</Cycle>":                         source,
		"DiffDir d\nBucket :\nDirectory /x":                                      "f:1: DiffDir \"d\": want an absolute path\nf:2: Bucket \":\": want a bucket's name: letters, digits, dots and hyphens",
		"DiffDir /d\n<Cycle c>\nBucket b\nDirectory /x\n</Cycle>\nUseTempFile 2": "f:6: UseTempFile \"2\": want on or off (or yes, no, true, false, 1, 0)",
	} {
		if got := reasons(t, memory{"f": text}); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestAllErrorsAreReportedAtOnceInTheirOrder(t *testing.T) {
	got := reasons(t, memory{
		"f":   "Frequency x\nInclude sub\nWibble\n<Cycle c>\nDirectory rel\n",
		"sub": "Fulls 0\n</Cycle>\nInclude absent\n",
	})
	want := strings.Join([]string{
		`f:1: DiffDir is missing: add DiffDir DIRECTORY at the top level; it keeps what incremental backups need`,
		`f:1: Frequency "x": want a whole number from 1 to 1000000`,
		`f:3: unknown directive "Wibble"`,
		`f:4: <Cycle c> is never closed: want </Cycle>`,
		`f:5: Directory "rel": want an absolute path`,
		`sub:1: Fulls "0": want a whole number from 1 to 1000000`,
		`sub:2: </Cycle> closes nothing: no block is open`,
		`sub:3: Include "absent": read "absent": file does not exist`,
	}, "\n")
	if diff := cmp.Diff(sortLines(want), sortLines(got)); diff != "" {
		t.Error(diff)
	}
	if !strings.HasPrefix(got, "f:1: ") || strings.Index(got, "f:5") > strings.Index(got, "sub:1") {
		t.Errorf("the errors are not in the order of files and lines:\n%s", got)
	}
}

func TestErrorsWithoutEndAreCut(t *testing.T) {
	got := strings.Split(reasons(t, memory{"f": strings.Repeat("Wibble\n", 5000)}), "\n")
	if len(got) != maxProblems+1 || !strings.HasSuffix(got[maxProblems], "too many errors, the others are not shown") {
		t.Errorf("%d errors, the last is %q", len(got), got[len(got)-1])
	}
}

func TestALogConfigurationOfTheOldKindIsToldWhatReplacesIt(t *testing.T) {
	for _, line := range []string{"LogConfig /etc/x.logconfig", "log4perl.logger=INFO", "log4perl.rootLogger = INFO, A"} {
		_, err := load("f", Env{Host: "h"}, memory{"f": required + "Directory /x\n" + line + "\n"})
		var out strings.Builder
		cli.PrintError(&out, "napback", err)
		if !strings.Contains(out.String(), "napback: hint: there is no file for the log's configuration: LogFile PATH, ") {
			t.Errorf("%s: %s", line, out.String())
		}
	}
}
