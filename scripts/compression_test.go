package scripts

import (
	"bytes"
	"compress/gzip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/compress"
	"napback/internal/tooltest"
	"napback/napback/tartest"
)

// The script may run no program only because a manifest names it, so it knows them
// by their names: each that napback can have used.
func TestTheScriptUndoesEachCompression(t *testing.T) {
	script := text(t, "scripts", "restore-without-napback.sh")
	from := strings.Index(script, "decompress() {")
	function := script[from : from+strings.Index(script[from:], "\n}\n")+3]
	undo := func(method, stream string) (string, error) {
		cmd := exec.CommandContext(t.Context(), "sh", "-c", "run=x; value() { echo \"$METHOD\"; }\n"+function+"decompress")
		cmd.Env = append(os.Environ(), "METHOD="+method)
		cmd.Stdin = strings.NewReader(stream)
		out, err := cmd.Output()
		return string(out), err
	}
	for _, m := range compress.All() {
		var last error
		tried := 0
		for _, p := range m.Programs {
			cmd := exec.CommandContext(t.Context(), p.Name, p.Args...)
			cmd.Stdin = strings.NewReader("content")
			stream, err := cmd.Output()
			if last = err; err != nil {
				continue
			}
			tried++
			if out, err := undo(m.Name, string(stream)); err != nil || out != "content" {
				t.Errorf("%s of %s: %q, %v", m.Name, p.Name, out, err)
			}
		}
		if tried == 0 {
			t.Errorf("%s: no program: %v", m.Name, last)
		}
	}
	if out, err := undo(compress.None, "content"); err != nil || out != "content" {
		t.Errorf("none: %q, %v", out, err)
	}
	if out, err := undo("telepathy", "content"); err == nil || out != "" {
		t.Errorf("what nobody knows: %q, %v", out, err)
	}
}

// tar opens a file that looks compressed once more, and a pipe has nobody who would
// write it again.
func TestTheScriptEndsAtAStreamThatIsCompressedOnceMore(t *testing.T) {
	store := tooltest.File(t)
	j := newJob(t, store)
	a := &tartest.Archive{}
	a.Dir("src")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(a.Stream())
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	j.run(0, "s3put", "--create-bucket", "mybackups:x", "--", "true")
	store.Must(t, &packed, "s3put", "-m", "compression=none", "mybackups:src-0-FULL")
	if out := j.run(5, "sh", "restore-without-napback.sh", filepath.Join(store.Dir, "mybackups"), "src", t.TempDir()); !strings.Contains(out, "may not be extracted") {
		t.Error(out)
	}
}
