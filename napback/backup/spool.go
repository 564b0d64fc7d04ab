package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/programs"
)

// spool is a temporary file in TempDir that holds what is going to be uploaded.
// It loses its name as soon as it is open, so its space is free again when the
// last process that has it open ends, whatever ends it. Where open files keep
// their names (Windows), Close removes it.
type spool struct {
	*os.File
	dir string
}

// spoolName matches what newSpool creates. The name is seen only by who looks
// in the moment between two system calls, or after a crash in it.
var spoolName = regexp.MustCompile(`^napback-[0-9]+\.tmp$`)

// newSpool creates a file that only its owner can read. First it removes those
// that killed runs have left.
func newSpool(dir string) (*spool, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, cli.WithHint(fmt.Errorf("TempDir: %w", err), "TempDir is never created: is its disk mounted?")
	}
	for _, e := range entries {
		if spoolName.MatchString(e.Name()) && e.Type().IsRegular() {
			// One that is in use needs its name no more than ours.
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	f, err := os.CreateTemp(dir, "napback-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("TempDir: %w", err)
	}
	_ = os.Remove(f.Name())
	return &spool{f, dir}, nil
}

// Close closes the file, and removes it if it still has its name.
func (s *spool) Close() error {
	err := s.File.Close()
	if removed := os.Remove(s.Name()); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// spoolReader is the stage that reads the file. Without it, s3put would be given its
// commit when it begins, and go on to the end should napback be killed.
func spoolReader(kit programs.Kit) (chain.Stage, error) {
	path, ok := kit.Program("cat")
	if !ok {
		return chain.Stage{}, errors.New("cat: not in PATH")
	}
	return kit.Stage("cat", path, nil), nil
}

// explain says where space was short.
func (s *spool) explain(err error) error {
	var failed *chain.Error
	if !errors.As(err, &failed) {
		return err
	}
	for _, stage := range failed.All {
		said := strings.ToLower(strings.Join(stage.Stderr, "\n"))
		if strings.Contains(said, "no space left") || strings.Contains(said, "wrote only") { // as tar says
			return cli.WithHint(err, "TempDir %q is too small for this job's archive", s.dir)
		}
	}
	return err
}

// spoolByHand is the file that a person uses for it. The next run removes it if
// the person forgets it.
func spoolByHand(dir string) string { return filepath.Join(dir, "napback-0.tmp") }
