//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/tooltest"
)

// Every example of napback(1) works, in the order of the page.
func TestManPageExamples(t *testing.T) {
	s := newQuickSite(t)
	s.write("file", "1")
	s.configure("<Directory " + s.source + ">\nName home/build\n</Directory>\n")
	change := strings.NewReplacer("15 3 * * * root napback web", "napback -c "+filepath.Base(s.conf))
	ran := tooltest.RunExamples(t, "napback.1", s.dir, append(os.Environ(), "PATH="+binDir(t)+":"+os.Getenv("PATH")), change.Replace)
	if len(ran) < 10 {
		t.Errorf("found %d commands in EXAMPLES", len(ran))
	}
	if d := difference(tree(t, s.source), tree(t, filepath.Join(s.dir, "restored", s.source))); d != "" {
		t.Errorf("the restored tree differs:\n%s", d)
	}
}
