package setup

import (
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"napback/internal/cli"
	"napback/napback/programs"
)

// Plan is what a host is set up with. Paths are absolute.
type Plan struct {
	Config string // the configuration's file

	// Bucket is where backups go; with Endpoint file://, a directory below it.
	Bucket, Endpoint, Region string
	// KeyFile holds the credentials of S3; "" leaves them to the SDK's own ways.
	KeyFile string
	// AccessKey and Secret are for a KeyFile that is to be made; "" if it exists.
	AccessKey, Secret string

	// Recipients of the encryption; none if Plain.
	Recipients []string
	Keyring    string // "" = the user's own
	Plain      bool
	// NewKey is the file for a new secret key, whose public part goes to Keyring and
	// is the recipient; "" = none is made.
	NewKey         string
	PassphraseFile string // what locks it; "" = pgpipe asks, if there is a terminal

	Sources []string // directives, as in `Directory /home`
	Diffs   int
	Fulls   int
	DiffDir string
	Cron    string // file with the line that runs it every night; "" = none
	Timer   bool   // systemd is to run it
	Program string // path of napback, for Cron

	Kit programs.Kit
	Std cli.Streams
}

// SetTarget understands where backups are to go: a bucket, or the absolute path of a
// directory, whose last part is then the bucket.
func (p *Plan) SetTarget(word string) error {
	if !strings.HasPrefix(word, "/") {
		p.Bucket = word
		return nil
	}
	dir := path.Clean(word)
	if path.Dir(dir) == dir || p.Endpoint != "" {
		return cli.UsageErrorf("%q: want a bucket, or a directory below a disk's, as in /mnt/usb/backups", word)
	}
	p.Bucket = path.Base(dir)
	p.Endpoint = (&url.URL{Scheme: "file", Path: path.Dir(dir)}).String()
	return nil
}

// OnDisk is the directory that backups go to, "" if they go to S3.
func (p *Plan) OnDisk() string {
	u, err := url.Parse(p.Endpoint)
	if err != nil || u.Scheme != "file" {
		return ""
	}
	return filepath.Join(u.Path, p.Bucket)
}

// AddSource adds what is to be backed up: a directive, or a path for Directory.
func (p *Plan) AddSource(word string) {
	word = strings.TrimSpace(word)
	switch {
	case word == "":
		return
	case strings.HasPrefix(word, "/"):
		word = "Directory " + quote(path.Clean(word))
	}
	p.Sources = append(p.Sources, word)
}

// text is the configuration.
func (p *Plan) text() string {
	var b strings.Builder
	line := func(directive, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-13s %s\n", directive, quote(value))
		}
	}
	b.WriteString("# The backups of this host. napback.conf(5) explains all directives.\n\n")
	line("Bucket", p.Bucket)
	line("Endpoint", p.Endpoint)
	line("Region", p.Region)
	line("S3KeyFile", p.KeyFile)
	line("DiffDir", p.DiffDir)
	line("GpgKeyring", p.Keyring)
	for _, r := range p.Recipients {
		line("GpgRecipient", r)
	}
	fmt.Fprintf(&b, "\n# Every day: a FULL, then %s that build on it. %s are kept.\n", cli.Plural(p.Diffs, "increment", "increments"), cli.Plural(p.Fulls, "such round", "such rounds"))
	fmt.Fprintf(&b, "<Cycle daily>\n    Diffs %d\n    Fulls %d\n", p.Diffs, p.Fulls)
	for _, s := range p.Sources {
		fmt.Fprintf(&b, "    %s\n", s)
	}
	b.WriteString("</Cycle>\n")
	return b.String()
}

// quote writes a value as the configuration reads it back.
func quote(value string) string {
	if value != "" && !strings.ContainsAny(value, " \t\"'\\#<>") {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// cronLine is the file for cron.
func (p *Plan) cronLine() string {
	return fmt.Sprintf(`# The backups of this host, every night. cron mails what napback says on standard
# error; the summary is left out.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
MAILTO=root
15 3 * * * root %s -c %s >/dev/null
`, p.Program, p.Config)
}
