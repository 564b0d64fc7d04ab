package dumpdir

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/cli"
	"napback/internal/storetest"
	"napback/napback/tartest"
)

// tree is a source with names that are hard to list.
func tree(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	write := func(name string) {
		path := filepath.Join(root, "src", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a")
	write("dir/line\nend")
	write("dir/\xff\xfe")
	write("dir/" + strings.Repeat("long", 40) + "/" + strings.Repeat("name", 50))
	for _, err := range []error{
		os.Mkdir(filepath.Join(root, "src/empty"), 0o755),
		os.Link(filepath.Join(root, "src/a"), filepath.Join(root, "src/hard")),
		os.Symlink("a", filepath.Join(root, "src/soft")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	sparse, err := os.Create(filepath.Join(root, "src/sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer sparse.Close()
	for at := range int64(30) { // more regions than a header of GNU's format has room for
		if _, err := sparse.WriteAt([]byte("end"), (at+1)<<20); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// archive makes an incremental archive of src on the snapshot.
func archive(t *testing.T, root, snapshot string, options ...string) []byte {
	t.Helper()
	args := append([]string{"--create", "--file=-", "--listed-incremental=" + snapshot, "--no-check-device", "--sparse", "-C", root}, options...)
	cmd := exec.Command("tar", append(args, "--", "src")...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	return out
}

// show writes the members as lines.
func show(t *testing.T, data []byte) []string {
	t.Helper()
	var lines []string
	err := Read(bytes.NewReader(data), true, func(m *Member) error {
		var list []string
		for _, i := range m.Contents {
			list = append(list, fmt.Sprintf("%c%s", i.Kind, i.Name))
		}
		slices.Sort(list)
		lines = append(lines, fmt.Sprintf("%c %s>%s %q", m.Type, m.Name, m.Link, list))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines
}

func TestReadListsWhatTarStored(t *testing.T) {
	for _, format := range []string{"posix", "gnu"} {
		t.Run(format, func(t *testing.T) {
			root := tree(t)
			snapshot := filepath.Join(root, "snapshot")
			dirType := map[string]string{"posix": "5", "gnu": "D"}[format]
			long, name := strings.Repeat("long", 40), strings.Repeat("name", 50)
			// Which of two hard links tar takes for the file depends on the
			// order of the directory.
			links := strings.NewReplacer("0 src/hard> []", "0 src/a> []", "1 src/a>src/hard []", "1 src/hard>src/a []", "S src/", "0 src/")
			full := strings.Split(links.Replace(strings.Join(show(t, archive(t, root, snapshot, "--format="+format)), "\n\n")), "\n\n")
			slices.Sort(full)
			want := []string{
				"0 src/a> []", "0 src/dir/" + long + "/" + name + "> []", "0 src/dir/line\nend> []", "0 src/dir/\xff\xfe> []",
				"0 src/sparse> []", "1 src/hard>src/a []", "2 src/soft>a []",
				dirType + ` src/dir/` + long + `> ["Y` + name + `"]`,
				dirType + ` src/dir> ["D` + long + `" "Yline\nend" "Y\xff\xfe"]`,
				dirType + ` src/empty> []`,
				dirType + ` src> ["Ddir" "Dempty" "Ya" "Yhard" "Ysoft" "Ysparse"]`,
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, full); diff != "" {
				t.Error(diff)
			}
			if err := os.Remove(filepath.Join(root, "src/soft")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, "src/new"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			diffs := show(t, archive(t, root, snapshot, "--format="+format))
			if want := dirType + ` src> ["Ddir" "Dempty" "Na" "Nhard" "Nsparse" "Ynew"]`; !slices.Contains(diffs, want) {
				t.Errorf("the increment lists\n%s\nwant among it\n%s", strings.Join(diffs, "\n"), want)
			}
		})
	}
}

func TestADirectoryWithVeryManyFilesIsRead(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "src"), 0o755); err != nil {
		t.Fatal(err)
	}
	const count = 9000
	for i := range count {
		if err := os.WriteFile(filepath.Join(root, "src", fmt.Sprintf("%0200d", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	listed := 0
	err := Read(bytes.NewReader(archive(t, root, filepath.Join(root, "snapshot"), "--format=posix")), true, func(m *Member) error {
		listed += len(m.Contents)
		return nil
	})
	if err != nil || listed != count {
		t.Errorf("%d of %d files are listed, error %v", listed, count, err)
	}
}

func TestAnArchiveThatIsNotWholeIsRefused(t *testing.T) {
	root := tree(t)
	whole := archive(t, root, filepath.Join(root, "snapshot"), "--format=posix")
	nothing := func(*Member) error { return nil }
	end := len(bytes.TrimRight(whole, "\x00"))
	const blockSize = 512
	end = (end + blockSize - 1) / blockSize * blockSize // where the end marker begins
	for cut := 0; cut < end+2*blockSize; cut += 100 {
		if err := Read(bytes.NewReader(whole[:cut]), true, nothing); cli.ExitStatus(err) != cli.Integrity {
			t.Fatalf("cut after %d of %d bytes: %v", cut, len(whole), err)
		}
	}
	if err := Read(bytes.NewReader(whole[:end+2*blockSize]), true, nothing); err != nil {
		t.Errorf("with its end marker and no more: %v", err)
	}
	for _, at := range []int{0, 100, 124, 156, 300} {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1
		if err := Read(bytes.NewReader(damaged), true, nothing); cli.ExitStatus(err) != cli.Integrity {
			t.Errorf("with byte %d changed: %v", at, err)
		}
	}
	if err := Read(bytes.NewReader(append(bytes.Clone(whole), 1)), true, nothing); cli.ExitStatus(err) != cli.Integrity {
		t.Errorf("with a byte after its end: %v", err)
	}
	broken := errors.New("a broken stream")
	if err := Read(&failing{whole[:5000], broken}, true, nothing); !errors.Is(err, broken) {
		t.Errorf("from a stream that fails: %v", err)
	}
}

type failing struct {
	data []byte
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	if len(f.data) == 0 {
		return 0, f.err
	}
	n := copy(p, f.data)
	f.data = f.data[n:]
	return n, nil
}

func FuzzRead(f *testing.F) {
	for _, gnu := range []bool{false, true} {
		a := &tartest.Archive{GNU: gnu}
		a.Dir("name", "Ya", "Nb", "Dc")
		a.File("name/a", "text")
		f.Add(a.Stream())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = Read(bytes.NewReader(data), true, func(m *Member) error {
			for _, item := range m.Contents {
				if !m.IsDir() || item.Name == "" || !strings.ContainsRune("YND", rune(item.Kind)) {
					t.Errorf("%q has the item %+v", m.Name, item)
				}
			}
			return nil
		})
	})
}
