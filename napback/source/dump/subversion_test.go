//go:build unix

package dump_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/storetest"
	"napback/napback/dbtest"
	"napback/napback/source/dump"
)

func TestSubversionDumpsMakeTheSameRepository(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	dir := t.TempDir()
	from, to := dump.Subversion(filepath.Join(dir, "one")), dump.Subversion(filepath.Join(dir, "two"))
	repo := dbtest.Subversion(t, string(from))
	var all []byte
	next := int64(0)
	for round := range 3 {
		repo.Fill(round)
		youngest, err := strconv.ParseInt(strings.TrimSpace(string(must(t, from.Youngest(), nil))), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		data := must(t, from.Dump(next, youngest), nil)
		if round > 1 && len(data) > len(all) {
			t.Errorf("an increment of %d bytes after %d", len(data), len(all))
		}
		isWhole(t, data, dump.FormatSubversion, dump.Range(next, youngest))
		if round == 0 {
			must(t, to.Create(), nil)
		}
		must(t, to.Load(), data)
		all = append(all, data...)
		next = youngest + 1
		if diff := cmp.Diff(repo.Content(), dbtest.OpenSubversion(t, string(to)).Content()); diff != "" {
			t.Fatalf("round %d: %s", round, diff)
		}
	}
	for _, c := range []dump.Command{from.UUID(), from.Date(3)} {
		other := c
		other.Args = slices.Clone(c.Args)
		other.Args[slices.Index(c.Args, string(from))] = string(to)
		if one, two := must(t, c, nil), must(t, other, nil); string(one) != string(two) || len(one) == 0 {
			t.Errorf("%q: %q and %q", c.Args, one, two)
		}
	}
	// One after the other, the dumps are a dump.
	third := dump.Subversion(filepath.Join(dir, "three"))
	isWhole(t, all, dump.FormatSubversion, dump.Range(0, next-1))
	must(t, third.Create(), nil)
	must(t, third.Load(), all)
	if diff := cmp.Diff(repo.Content(), dbtest.OpenSubversion(t, string(third)).Content()); diff != "" {
		t.Error(diff)
	}
}

func TestRepositoriesAreFoundBelowADirectory(t *testing.T) {
	dir := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "real")
	for _, path := range []string{filepath.Join(dir, "a"), filepath.Join(dir, "deep", "er", "b c"), elsewhere} {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		must(t, dump.Subversion(path).Create(), nil)
	}
	for _, path := range []string{"format", "db", "plain/db", "plain/x", "a/nested/db"} {
		if err := os.MkdirAll(filepath.Join(dir, path), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "a/nested/format"), []byte("5\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{elsewhere: "link", filepath.Join(dir, "deep"): "todeep", "/nowhere": "dangling"} {
		if err := os.Symlink(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	found, unread := dump.Repositories(dir)
	if diff := cmp.Diff([]string{"a", "deep/er/b c", "link"}, found); diff != "" || len(unread) > 0 {
		t.Error(diff, unread)
	}
	if _, unread := dump.Repositories(filepath.Join(dir, "absent")); len(unread) == 0 {
		t.Error("a directory that is not there is taken for an empty one")
	}
}
