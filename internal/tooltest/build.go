package tooltest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// Build puts tools of this tree into dir. All test processes share one build in
// build/bin-test, under a lock: go links nothing that is up to date. -trimpath
// lets them share what `make build` has compiled.
func Build(dir string, tools ...string) error {
	if len(tools) == 0 {
		return nil
	}
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	root := filepath.Dir(strings.TrimSpace(string(out)))
	shared := filepath.Join(root, "build", "bin-test")
	if err := os.MkdirAll(shared, 0o755); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(shared, ".lock"))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock of %s: %w", shared, err)
	}
	defer lock.Close()
	cmd := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-o", shared+string(filepath.Separator))
	for _, tool := range tools {
		cmd.Args = append(cmd.Args, "napback/"+tool)
	}
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the tools: %w\n%s", err, out)
	}
	// Copied, since the clone may lie where another user cannot reach it.
	for _, tool := range tools {
		if err := install(filepath.Join(shared, tool), filepath.Join(dir, tool)); err != nil {
			return err
		}
	}
	return nil
}

func install(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	return err
}
