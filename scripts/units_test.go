package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// systemd takes the units as they are, but for the place of the program.
func TestUnitsAreValid(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "napback")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, name := range []string{"napback.service", "napback.timer", "napback-alarm@.service"} {
		file := filepath.Join(dir, name)
		unit := strings.ReplaceAll(text(t, "scripts", name), "/usr/local/bin/napback", program)
		if err := os.WriteFile(file, []byte(unit), 0o644); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	verify := func() string {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", append([]string{"verify", "--man=no"}, files...)...).CombinedOutput()
		if err != nil {
			return string(out) + err.Error()
		}
		return findings(string(out), dir)
	}
	if said := verify(); said != "" {
		t.Errorf("systemd-analyze: %s", said)
	}
	// That it would have said something.
	unit, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(files[0], append(unit, "ProtectSystm=strict\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
	if said := verify(); !strings.Contains(said, "ProtectSystm") {
		t.Errorf("systemd-analyze does not find a misspelt name: %q", said)
	}
}

// The service reads the key file where a shell of root's does, raises an alarm, and
// is as nice as the configuration says.
func TestTheServiceLeavesToTheConfigurationWhatIsThere(t *testing.T) {
	unit := text(t, "scripts", "napback.service")
	for _, no := range []string{"LoadCredential", "Nice=", "IOScheduling", "InaccessiblePaths"} {
		if strings.Contains(unit, "\n"+no) {
			t.Errorf("the unit has %s", no)
		}
	}
	if !strings.Contains(unit, "\nOnFailure=napback-alarm@%n.service\n") {
		t.Error("nobody hears that it failed")
	}
}

// The alarm's commands run as they stand, but for what systemd puts in place of %i
// and %H, with programs that write down what they get.
func TestTheAlarmReachesPeople(t *testing.T) {
	dir := t.TempDir()
	for name, script := range map[string]string{
		"systemd-cat": "cat >wall; echo $* >>wall", "sendmail": "cat >mail; echo $* >>mail", "systemctl": "echo it said: $*; exit 3",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	commands := regexp.MustCompile(`(?m)^ExecStart=/bin/sh -c '(.*)'$`).FindAllStringSubmatch(text(t, "scripts", "napback-alarm@.service"), -1)
	alarm := func() {
		t.Helper()
		for _, m := range commands {
			cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", strings.NewReplacer("%i", "napback.service", "%H", "web").Replace(m[1]))
			cmd.Dir, cmd.Env = dir, []string{"PATH=" + dir + ":/usr/bin:/bin"}
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %v, %s", m[1], err, out)
			}
		}
	}
	alarm()
	for name, want := range map[string]string{
		"wall": "napback.service has failed on web: journalctl -u napback.service\n-t napback -p emerg\n",
		"mail": "To: root\nSubject: napback.service has failed on web\n\nit said: status --full --lines=50 napback.service\n-t\n",
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%q instead of\n%q", name, err, got, want)
		}
	}
	// Where there is no mail, that is no failure of the alarm.
	if err := os.Remove(filepath.Join(dir, "sendmail")); err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("/usr/bin/sendmail"); err != nil {
		alarm()
	}
}

// findings are the lines about our units: the machine's own may have faults too.
func findings(out, dir string) string {
	var all strings.Builder
	for line := range strings.Lines(out) {
		if strings.Contains(line, dir) || strings.Contains(line, "napback.") {
			all.WriteString(line)
		}
	}
	return all.String()
}

// cron's line is five times, a user and a command that runs.
func TestCronLineIsValid(t *testing.T) {
	lines := regexp.MustCompile(`(?m)^[^#\n].*$`).FindAllString(text(t, "scripts", "napback.cron"), -1)
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "PATH=/") || !strings.HasPrefix(lines[1], "MAILTO=") {
		t.Fatalf("lines %q", lines)
	}
	m := regexp.MustCompile(`^15 3 \* \* \* root (/usr/local/bin/napback .* >/dev/null)$`).FindStringSubmatch(lines[2])
	if m == nil {
		t.Fatalf("line %q", lines[2])
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-nc", m[1]).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
