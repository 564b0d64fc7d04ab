//go:build linux

package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/napback/catalog"
	"napback/napback/treetest"
)

// tree describes everything below a directory that a backup must bring back.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	all, err := treetest.Describe(root, 0)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// difference says how two trees differ, or "".
func difference(want, got map[string]string) string { return treetest.Difference(want, got) }

// restore brings back the job's state of a date ("" = the newest), with the tools
// and tar alone, and returns where the source's tree is.
func (s *site) restore(date string) string {
	s.t.Helper()
	listing := s.tool("s3ls", "--json", "-r", "bk")
	found, err := catalog.Read(strings.NewReader(listing.out))
	s.must(err)
	moment, err := catalog.ParseMoment(date, time.Local)
	s.must(err)
	owner, err := os.ReadFile(filepath.Join(s.diffs, "owner"))
	if !errors.Is(err, os.ErrNotExist) { // as after a chain that was run by hand
		s.must(err)
	}
	archives, err := catalog.OfJob(found.Entries, "job", catalog.Wanted{Own: strings.TrimSpace(string(owner)), Source: "Directory " + s.source})
	s.must(err)
	point, err := archives.At(moment)
	s.must(err)
	to := s.t.TempDir()
	for _, link := range point.Chain {
		pipe := `set -e; "$1" "$2" | zstd -dq | tar --extract --file=- --listed-incremental=/dev/null --numeric-owner -p --xattrs --xattrs-include='*' --acls -C "$3"`
		cmd := exec.CommandContext(s.t.Context(), "bash", "-o", "pipefail", "-c", pipe, "restore", filepath.Join(binDir(s.t), "s3get"), link.Address(), to)
		cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL_S3=file://"+s.store)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil || out.Len() > 0 {
			s.t.Errorf("restore %s: %v\n%s", link.Address(), err, out.String())
		}
	}
	return filepath.Join(to, s.source)
}

// mustRestore checks that a date's restored tree is want.
func (s *site) mustRestore(date string, want map[string]string) {
	s.t.Helper()
	if d := difference(want, tree(s.t, s.restore(date))); d != "" {
		s.t.Errorf("restored tree of %q differs:\n%s", date, d)
	}
}
