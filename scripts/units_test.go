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
	for _, name := range []string{"napback.service", "napback.timer"} {
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
	m := regexp.MustCompile(`^15 3 \* \* \* root (napback .*)$`).FindStringSubmatch(lines[2])
	if m == nil {
		t.Fatalf("line %q", lines[2])
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-nc", m[1]).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
