//go:build unix

package config

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"napback/internal/cli"
	"napback/napback/source/kinds"
)

// write makes a file whose mode is not what umask leaves of it.
func write(t *testing.T, path, text string, mode fs.FileMode) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// refused loads a configuration and returns what napback prints.
func refused(t *testing.T, path string) string {
	t.Helper()
	_, err := Load(path, Env{})
	if err == nil {
		t.Fatal("the configuration is not refused")
	}
	if status := cli.ExitStatus(err); status != cli.Usage {
		t.Errorf("exit status %d, want %d: %v", status, cli.Usage, err)
	}
	var b bytes.Buffer
	cli.PrintError(&b, "napback", err)
	return b.String()
}

func TestAConfigurationThatOthersCanWriteIsRefused(t *testing.T) {
	dir := t.TempDir()
	const text = required + "GpgRecipient a@b\nDirectory /x\n"
	path := write(t, filepath.Join(dir, "f"), text, 0o600)
	if _, err := Load(path, Env{}); err != nil {
		t.Fatal(err)
	}
	write(t, path, text, 0o666)
	if got := refused(t, path); !strings.Contains(got, "can be written by everyone") || !strings.Contains(got, "hint: chmod o-w "+path) {
		t.Errorf("got %s", got)
	}
	write(t, path, text, 0o600)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if got := refused(t, path); !strings.Contains(got, "hint: chmod o-w "+dir+"\n") {
		t.Errorf("got %s", got)
	}
}

func TestAnIncludeThatOthersCanWriteIsRefused(t *testing.T) {
	dir := t.TempDir()
	bad := write(t, filepath.Join(dir, "bad.conf"), "Directory /y\n", 0o602)
	path := write(t, filepath.Join(dir, "f"), required+"Include *.conf\nDirectory /x\n", 0o600)
	got := refused(t, path)
	if !strings.Contains(got, path+":3: Include \"*.conf\": read \""+bad+"\":") || !strings.Contains(got, "hint: chmod o-w "+bad) {
		t.Errorf("got %s", got)
	}
}

func TestWhatOthersCanWriteIsNotObeyed(t *testing.T) {
	dir := t.TempDir()
	sub := func(name string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	open, good := sub("open", 0o777), sub("good", 0o700)
	sticky := sub("sticky", fs.ModeSticky|0o777)
	inOpen := write(t, filepath.Join(open, "f"), "", 0o700)
	bad := write(t, filepath.Join(dir, "bad"), "", 0o702)
	fine := write(t, filepath.Join(good, "f"), "", 0o700)
	link := filepath.Join(good, "link")
	if err := os.Symlink(inOpen, link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		setting string
		refused []string
		taken   []string
	}{
		{"DiffDir", []string{open, sticky}, []string{"/absent/d"}},
		{"TempDir", []string{open}, []string{sticky, good}},
		{"MetricsFile", []string{inOpen + ".prom", open + "/new.prom", sticky + "/new.prom"}, []string{good + "/new.prom"}},
		{"LogFile", []string{inOpen, open + "/new", sticky + "/new", link, bad}, []string{fine, good + "/new"}},
		{"ExcludeFrom", []string{inOpen, link, bad}, []string{fine, "/absent/f"}},
		{"GpgKeyring", []string{inOpen, link, bad}, []string{fine}},
		{"S3KeyFile", []string{inOpen, link, bad}, []string{fine}},
		{"MailServer smtp://u@localhost\nMailPasswordFile", []string{inOpen, link, bad}, []string{fine}},
		{"RunBefore", []string{inOpen, link, bad}, []string{fine, fine + " " + bad, "sh"}},
		{"RunAfter", []string{inOpen}, []string{fine}},
		{"RunOnFailure", []string{inOpen}, []string{fine}},
		{"RunFinished", []string{inOpen}, []string{fine}},
	} {
		first := "Bucket b\nDirectory /x\n"
		if c.setting != "DiffDir" {
			first += "DiffDir /absent/d\n"
		}
		for _, value := range append(slices.Clone(c.refused), c.taken...) {
			path := write(t, filepath.Join(dir, "conf"), first+c.setting+" "+value+"\n", 0o600)
			if !slices.Contains(c.refused, value) {
				if _, err := Load(path, Env{}); err != nil {
					t.Errorf("%s %s is refused: %v", c.setting, value, err)
				}
				continue
			}
			if got := refused(t, path); !strings.Contains(got, "can be written by") || !strings.Contains(got, "napback: hint: ") {
				t.Errorf("%s %s: %s", c.setting, value, got)
			}
		}
	}
}

// A new setting that is a path has to say who may write it.
func TestEveryPathIsCheckedForWhoCanWriteIt(t *testing.T) {
	for _, d := range directives(kinds.All()) {
		var s Settings
		err := d.set(&s, []string{"relative"}, true)
		isPath := err != nil && strings.Contains(err.Error(), absolute("relative").Error())
		if isPath && d.obeys == nil {
			t.Errorf("%s is a path, but nothing tells who may write it", d.name)
		}
	}
}
