package archive

import (
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"napback/internal/cli"
)

func testManifest() *Manifest {
	at := time.Date(2026, 11, 20, 3, 15, 2, 0, time.UTC)
	return &Manifest{
		Format: "napback-archive/1", Name: "home/build-3-DIFF", Run: "20261120T031502Z-k3f9", Host: "h",
		Created: at, Committed: at.Add(time.Minute), Tool: "s3put devel", Bytes: 25, ChunkBytes: 10, Chunks: 3,
		Sums: strings.Repeat("ab", 32), Tag: "t", Meta: map[string]string{"job": "home/build"}, Recover: "cat 'a' | gpg -d",
	}
}

func TestManifestSurvivesARoundTrip(t *testing.T) {
	m := testManifest()
	data, err := m.encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeManifest(data)
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Fatalf("decoded %+v, %v; want %+v", got, err, m)
	}
}

func TestManifestOfALaterMinorVersionIsRead(t *testing.T) {
	data, _ := testManifest().encode()
	text := strings.Replace(string(data), `"napback-archive/1"`, `"napback-archive/1.7", "later": {"x": 1}`, 1)
	if _, err := DecodeManifest([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

func TestManifestThatCannotBeTrustedIsRefused(t *testing.T) {
	data, _ := testManifest().encode()
	for name, c := range map[string]struct {
		old, new string
		status   int
	}{
		"not JSON":         {"{", "", cli.Integrity},
		"another format":   {"napback-archive/1", "tarball/1", cli.Integrity},
		"later major":      {"napback-archive/1", "napback-archive/2", cli.Failed},
		"chunks missing":   {`"chunks": 3`, `"chunks": 2`, cli.Integrity},
		"negative bytes":   {`"bytes": 25`, `"bytes": -25`, cli.Integrity},
		"zero chunk size":  {`"chunk_bytes": 10`, `"chunk_bytes": 0`, cli.Integrity},
		"no sums":          {strings.Repeat("ab", 32), "ab", cli.Integrity},
		"name of two":      {"home/build-3-DIFF", "home:x", cli.Integrity},
		"not a run":        {"20261120T031502Z-k3f9", "latest", cli.Integrity},
		"bytes not number": {`"bytes": 25`, `"bytes": "25"`, cli.Integrity},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(string(data), c.old, c.new, 1)
			if text == string(data) {
				t.Fatal("the case changes nothing")
			}
			if _, err := DecodeManifest([]byte(text)); cli.ExitStatus(err) != c.status {
				t.Errorf("status %d (%v); want %d", cli.ExitStatus(err), err, c.status)
			}
		})
	}
}

func TestManifestStaysSmall(t *testing.T) {
	m := testManifest()
	m.Tag = strings.Repeat("x", maxManifest)
	if _, err := m.encode(); err == nil {
		t.Fatal("a manifest larger than its limit was encoded")
	}
}

func FuzzDecodeManifest(f *testing.F) {
	data, _ := testManifest().encode()
	f.Add(data)
	f.Add([]byte(`{"format":"napback-archive/1"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeManifest(data)
		if err != nil {
			return
		}
		var sum int64
		for n := range min(m.Chunks, 10) {
			if size := m.chunkSize(n); size < 1 || size > m.ChunkBytes {
				t.Fatalf("chunk %d of %+v has %d bytes", n, m, size)
			} else {
				sum += size
			}
		}
		if m.Chunks <= 10 && sum != m.Bytes {
			t.Fatalf("the chunks of %+v make %d bytes", m, sum)
		}
	})
}

func TestRecoverUndoesWhatMetaTells(t *testing.T) {
	for _, c := range []struct {
		meta map[string]string
		want string
	}{
		{nil, "cat x"},
		{map[string]string{"compression": "none"}, "cat x"},
		{map[string]string{"compression": "zstd", "encryption": "0123", "unpack": "tar -x"}, "cat x | gpg -d | zstd -d | tar -x"},
		{map[string]string{"compression": "rm -rf /"}, "cat x"},
	} {
		if got := recoverCommand("cat x", c.meta); got != c.want {
			t.Errorf("recoverCommand(%v) = %q; want %q", c.meta, got, c.want)
		}
	}
}

// TestRecoverThatIsRecomputedHoldsNoTextOfTheBucket: whoever can write a
// manifest must not be able to write what people paste into a shell.
func TestRecoverThatIsRecomputedHoldsNoTextOfTheBucket(t *testing.T) {
	const tar = "tar --extract --file=- --listed-incremental=/dev/null --numeric-owner --same-permissions --xattrs --xattrs-include='*' --acls"
	for _, c := range []struct {
		meta map[string]string
		want string
	}{
		{nil, "cat x"},
		{map[string]string{"compression": "zstd", "encryption": "0123", "unpack": tar}, "cat x | gpg -d | zstd -d | " + tar},
		{map[string]string{"compression": "zstd; rm -rf /", "encryption": "$(id)", "unpack": "sh"}, "cat x | gpg -d"},
		{map[string]string{"compression": "gzip", "unpack": tar + "\nid"}, "cat x | gzip -d"},
		{map[string]string{"unpack": tar + " # x"}, "cat x"},
		{map[string]string{"unpack": "psql -d postgres"}, "cat x"},
	} {
		m := testManifest()
		m.Meta, m.Recover = c.meta, "rm -rf ~"
		if got := RecoverCommand("cat x", m); got != c.want {
			t.Errorf("RecoverCommand with %v = %q; want %q", c.meta, got, c.want)
		}
	}
}

// TestWhatNapbackUnpacksWithIsKnown: else s3ls would leave it out.
func TestWhatNapbackUnpacksWithIsKnown(t *testing.T) {
	var known []string
	err := filepath.WalkDir("../../napback", func(path string, d os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for line := range strings.Lines(string(text)) {
			_, value, ok := strings.Cut(strings.TrimSpace(line), "const Unpack = ")
			if command, err := strconv.Unquote(value); ok && err == nil {
				known = append(known, command)
			}
		}
		return err
	})
	if err != nil || len(known) == 0 {
		t.Fatalf("no command was found, %v", err)
	}
	for _, command := range known {
		if knownUnpack(command) != command {
			t.Errorf("napback unpacks with %q", command)
		}
	}
}

func TestOwnerAndParentOfAManifestAreChecked(t *testing.T) {
	for _, c := range []struct {
		owner  string
		parent Run
		ok     bool
	}{
		{"", "", true}, {"a", "20261120T031502Z-k3f9", true}, {strings.Repeat("Z_-9", 16), "", true},
		{strings.Repeat("a", 65), "", false}, {"a b", "", false}, {"a\x1b[1m", "", false}, {"a", "yesterday", false},
	} {
		m := testManifest()
		m.Owner, m.Parent = c.owner, c.parent
		data, err := m.encode()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeManifest(data); (err == nil) != c.ok || c.ok && !reflect.DeepEqual(got, m) {
			t.Errorf("owner %q and parent %q: %v", c.owner, c.parent, err)
		}
	}
}
