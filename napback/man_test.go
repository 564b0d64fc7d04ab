//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Every example of napback(1) works, in the order of the page.
func TestManPageExamples(t *testing.T) {
	page, err := os.ReadFile("../man/napback.1")
	if err != nil {
		t.Fatal(err)
	}
	_, examples, _ := strings.Cut(string(page), "\n.Sh EXAMPLES\n")
	examples, _, _ = strings.Cut(examples, "\n.Sh ")
	s := newQuickSite(t)
	s.write("file", "1")
	s.configure("<Directory " + s.source + ">\nName home/build\n</Directory>\n")
	commands := 0
	for line := range strings.Lines(examples) {
		command, ok := strings.CutPrefix(strings.TrimSpace(line), ".Dl ")
		if !ok {
			continue
		}
		commands++
		command = strings.NewReplacer("15 3 * * * root ", "", "/etc/napback/web.conf", filepath.Base(s.conf), `\-`, "-").Replace(command)
		cmd := exec.CommandContext(t.Context(), "bash", "-c", command)
		cmd.Dir = s.dir
		cmd.Env = append(os.Environ(), "PATH="+binDir+":"+os.Getenv("PATH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
	}
	if commands < 8 {
		t.Errorf("found %d commands in EXAMPLES", commands)
	}
	if d := difference(tree(t, s.source), tree(t, filepath.Join(s.dir, "restored", s.source))); d != "" {
		t.Errorf("the restored tree differs:\n%s", d)
	}
}
