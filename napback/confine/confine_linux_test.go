package confine

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain is also the confined process.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CONFINE_TO"); dir != "" {
		err := Exec(dir, "/bin/sh", []string{"sh", "-c", os.Getenv("CONFINE_SCRIPT")}, os.Environ())
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(9)
	}
	os.Exit(m.Run())
}

func TestAConfinedProcessWritesBelowItsDirectoryOnly(t *testing.T) {
	outside, inside := t.TempDir(), t.TempDir()
	precious := filepath.Join(outside, "precious")
	if err := os.WriteFile(precious, []byte("p"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	script := `cd "$IN"; mkdir -p a b; echo x >a/f; ln a/f b/g; mv a/f b/h; ln -s "$OUT" l; mkfifo p; echo >/dev/null; cat "$OUT/precious"; rm b/g; : >b/h; rm p
		for c in 'echo x >l/new' 'echo x >"$OUT/new"' 'echo x >>"$OUT/precious"' 'true >"$OUT/precious"' 'mkdir "$OUT/d"' 'rm -f "$OUT/precious"' 'mv "$OUT/precious" .' \
			'ln "$OUT/precious" here' 'ln b/h "$OUT/new"' 'mknod "$OUT/null" c 1 3'; do
			eval "$c" 2>/dev/null && echo "could: $c"
		done; echo done`
	cmd.Env = append(os.Environ(), "CONFINE_TO="+inside, "CONFINE_SCRIPT="+script, "IN="+inside, "OUT="+outside)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if Supported() != nil {
		if err == nil || cmd.ProcessState.ExitCode() != 9 || !strings.Contains(stderr.String(), ErrUnsupported.Error()) {
			t.Fatalf("without Landlock the program runs all the same: %v, %q, %q", err, out, stderr.String())
		}
		t.Logf("%v: only the refusal was tested", Supported())
		return
	}
	if err != nil || string(out) != "pdone\n" || stderr.Len() > 0 {
		t.Errorf("%v: stdout %q, stderr %q", err, out, stderr.String())
	}
	if data, err := os.ReadFile(precious); err != nil || string(data) != "p" {
		t.Errorf("the file outside is %q, %v", data, err)
	}
	if entries, _ := os.ReadDir(outside); len(entries) != 1 {
		t.Errorf("outside are %v", entries)
	}
}
