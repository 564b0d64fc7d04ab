package scripts

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// sandbox is a place where documented commands run as they stand, but for
// the paths of a real system, which become paths below dir.
type sandbox struct {
	*job
	dir     string
	replace *strings.Replacer
}

// newSandbox returns a sandbox with a key for me@example.org and with what the
// examples take for granted: /home and /etc with something in them, a USB disk,
// and pg_dump.
func newSandbox(t *testing.T, store tooltest.Store, replace ...string) *sandbox {
	t.Helper()
	s := &sandbox{job: newJob(t, store), dir: t.TempDir()}
	for _, dir := range []string{"bin", "home/me", "etc/cron.d", "mnt/usb/backups", "var/lib", "tmp", "work"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"home/me/thesis.tex": "\\bye\n",
		"etc/hostname":       "host\n",
		// The dump of a database is the part of the example that is not ours.
		"bin/pg_dump": "#!/bin/sh\necho '-- PostgreSQL database dump complete'\n",
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/home", "/etc", "/mnt/usb", "/var/lib"} {
		replace = append(replace, path, s.dir+path)
	}
	s.replace = strings.NewReplacer(replace...)
	s.env = append(s.env, "PATH="+filepath.Join(s.dir, "bin")+":"+os.Getenv("PATH"), "W="+s.dir)
	return s
}

// shell runs documented lines and returns what they print.
func (s *sandbox) shell(lines string) string {
	s.t.Helper()
	return s.run(0, "bash", "-euc", "cd \"$W/work\"\n"+s.replace.Replace(lines))
}

// text reads a document.
func text(t *testing.T, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(append([]string{storetest.Root(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// blocks returns the indented blocks of a Markdown text.
func blocks(markdown string) []string {
	var all []string
	var block []string
	indent := 0
	flush := func() {
		if len(block) > 0 {
			all = append(all, strings.TrimSpace(strings.Join(block, "\n")))
		}
		block = nil
	}
	for line := range strings.Lines(markdown) {
		line = strings.TrimRight(line, "\n")
		code := strings.TrimLeft(line, " ")
		switch n := len(line) - len(code); {
		case code == "" && block != nil:
			block = append(block, "")
		case n >= 4 && (block == nil || n >= indent):
			if block == nil {
				indent = n
			}
			block = append(block, line[indent:])
		default:
			flush()
		}
	}
	flush()
	return all
}

// section returns a section of the README.
func section(t *testing.T, title string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text(t, "README.md"), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("the README has no section %q", title)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	return rest
}

// The README is followed from its first command to its last, on a new host
// with a real S3 server.
func TestReadmeIsTrue(t *testing.T) {
	server := storetest.Versitygw(t)
	store := tooltest.Server(server, server.Endpoint)
	s := newSandbox(t, store,
		"AKIA... ...", server.AccessKey+" "+server.SecretKey,
		"eu-central-1", server.Region,
		"/usr/local/share/napback", filepath.Join(storetest.Root(t), "scripts"), // where make install puts it
		// Nobody is there to type a passphrase.
		"gpg --quick-gen-key", "gpg --batch --quiet --passphrase '' --quick-gen-key")
	// The README's credentials are in a file.
	var env []string
	for _, kv := range s.env {
		if !strings.HasPrefix(kv, "AWS_ACCESS_KEY_ID=") && !strings.HasPrefix(kv, "AWS_SECRET_ACCESS_KEY=") {
			env = append(env, kv)
		}
	}
	first := s.env
	ran := 0
	readme := text(t, "README.md")
	for _, title := range []string{"Know that it works", "The day you need it"} {
		readme = strings.Replace(readme, section(t, title), "", 1)
	}
	for _, block := range blocks(readme) {
		ran++
		switch {
		case strings.Contains(block, "──▶"): // the picture
		case strings.HasPrefix(block, "make"), strings.HasPrefix(block, "apt"), // what runs this test, and what would change this machine
			strings.HasPrefix(block, "desktop.sh"), strings.Contains(block, "napback init"), // have tests of their own
			strings.HasPrefix(block, "@echo off"): // Windows
		case strings.HasPrefix(block, "{"):
			if !json.Valid([]byte(block)) {
				t.Errorf("not JSON:\n%s", block)
			}
		case strings.HasPrefix(block, "Bucket"):
			s.env = env
			conf := filepath.Join(s.dir, "etc/napback/napback.conf")
			if err := os.WriteFile(conf, []byte(s.replace.Replace(block)+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			s.shell("mkdir -m 700 -p /var/lib/napback; cp backup.pgp /etc/napback/")
		case strings.HasPrefix(block, "napback"):
			// The default configuration is that of a real system.
			s.shell(regexp.MustCompile(`(?m)^napback\b`).ReplaceAllString(block, "napback -c /etc/napback/napback.conf"))
		case strings.Contains(block, "s3put backups:db"):
			s.run(0, "s3put", "--create-bucket", "backups:x", "--", "true")
			s.shell(block)
		default:
			s.shell(block)
		}
	}
	s.env = first
	if out := s.run(0, "s3ls", "mybackups"); strings.Count(out, "-FULL") != 2 || strings.Contains(out, "hello") {
		t.Errorf("the bucket holds\n%s", out)
	}
	if ran < 10 {
		t.Errorf("the README has only %d blocks: has its form changed?", ran)
	}
}

// pages are the manuals whose examples run here; slotcalc, pgpipe and napback
// test their own.
func TestExamplesOfTheManualsRun(t *testing.T) {
	s := newSandbox(t, tooltest.File(t))
	s.shell("cp " + s.secret + " secret.asc; s3put --create-bucket backups:x -- true")
	work := filepath.Join(s.dir, "work")
	for _, page := range []string{"s3put.1", "s3get.1", "s3ls.1", "s3rm.1"} {
		tooltest.RunExamples(t, page, work, s.env, s.replace.Replace)
	}
	tooltest.RunExamples(t, "napback-archive.7", work, s.env, func(command string) string {
		return s.replace.Replace("tar -c /home 2>/dev/null | s3put --sign-key secret.asc --endpoint file:///mnt/usb backups:home\n" + command)
	})
	s.run(0, "cmp", filepath.Join(s.dir, "home/me/thesis.tex"), filepath.Join(s.dir, "work", s.dir, "home/me/thesis.tex"))
	if out := s.shell("cd /mnt/usb/backups; tar -tf home.stream"); !strings.Contains(out, "thesis.tex") {
		t.Errorf("the archive that was read by hand holds %s", out)
	}
}
