package archive_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
)

// putRaw stores an object as another tool would.
func putRaw(t *testing.T, st archive.Store, key, data string) {
	t.Helper()
	err := st.Put(t.Context(), archive.Upload{
		Key: key, Body: strings.NewReader(data), Size: int64(len(data)), SHA256: sha256.Sum256([]byte(data))})
	if err != nil {
		t.Fatal(err)
	}
}

// describeName returns all runs of a Survey.
func describeName(t *testing.T, st archive.Store, name string, all bool) ([]archive.RunInfo, error) {
	t.Helper()
	s, err := archive.DescribeName(t.Context(), st, name, all)
	if err != nil {
		return nil, err
	}
	if s.Err != nil {
		return nil, s.Err
	}
	var infos []archive.RunInfo
	for info, err := range s.Runs(t.Context()) {
		if err != nil {
			return infos, err
		}
		infos = append(infos, info)
	}
	return infos, nil
}

func TestNamesAreFoundWithoutTheirChunks(t *testing.T) {
	st, _ := bucket(t)
	for _, name := range []string{"home", "home/a", "home-b", "x y"} {
		mustPut(t, st, name, random(95), 10)
	}
	putRaw(t, st, "foreign.txt", "x")
	var listed []string
	for name, err := range archive.Names(st, "home")(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, name)
	}
	if want := []string{"home-b", "home/a", "home"}; !slices.Equal(listed, want) {
		t.Errorf("got %q, want %q", listed, want)
	}
}

func TestStatesOfRuns(t *testing.T) {
	st, _ := bucket(t)
	keep := putOptions("n", 10)
	keep.Keep = true
	for range 3 {
		if _, err := archive.Put(t.Context(), st, bytes.NewReader(random(25)), keep); err != nil {
			t.Fatal(err)
		}
	}
	later := func(d time.Duration) string {
		run, _ := archive.NewRun(time.Now().Add(d), "")
		return "n:" + string(run)
	}
	putRaw(t, st, later(time.Hour)+":0000000000000", "x")
	putRaw(t, st, later(2*time.Hour)+":manifest", "{}")
	putRaw(t, st, "n:0000000000000", "js3tream")
	infos, err := describeName(t, st, "n", true)
	if err != nil {
		t.Fatal(err)
	}
	var states []archive.State
	for _, info := range infos {
		states = append(states, info.State)
	}
	want := []archive.State{archive.Superseded, archive.Superseded, archive.Committed, archive.Incomplete, archive.Unreadable}
	if !slices.Equal(states, want) {
		t.Errorf("got %q, want %q", states, want)
	}
	// A manifest that cannot be read must not hide behind an older run.
	if _, err := archive.Newest(t.Context(), st, "n", nil); cli.ExitStatus(err) != cli.Integrity {
		t.Errorf("newest: %v", err)
	}
}

func TestUnreadableForLackOfRightsIsNotIncomplete(t *testing.T) {
	st, _ := bucket(t)
	mustPut(t, st, "n", random(25), 10)
	f := &faulty{Store: st, get: func(string) error { return fmt.Errorf("get: %w", archive.ErrPermission) }}
	infos, err := describeName(t, f, "n", true)
	if err != nil || len(infos) != 1 || infos[0].State != archive.Unreadable {
		t.Errorf("got %+v, %v", infos, err)
	}
}

func TestRemovedRunLosesItsManifestFirst(t *testing.T) {
	st, _ := bucket(t)
	m := mustPut(t, st, "n", random(95), 10)
	var order []string
	f := &faulty{Store: st, delete: func(keys []string) error { order = append(order, keys...); return nil }}
	if err := archive.RemoveRun(t.Context(), f, "n", m.Run); err != nil {
		t.Fatal(err)
	}
	if len(order) == 0 || !strings.HasSuffix(order[0], ":manifest") {
		t.Errorf("removed in the order %q", order)
	}
	if left := keys(t, st); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func TestJs3treamArchivesOfEveryKindAreRead(t *testing.T) {
	for _, c := range []struct {
		name, stored string
		digits       int
	}{
		{"old", "old", 13}, {"old", "old", 20}, {"some/path-5-FULL", "some/path-5-FULL", 10},
		{"/some/path", "/some/path", 13}, {"some/path", "/some/path", 20},
	} {
		t.Run(fmt.Sprintf("%s as %s with %d digits", c.name, c.stored, c.digits), func(t *testing.T) {
			st := memory{}
			var want bytes.Buffer
			for n := range 12 {
				data := fmt.Sprintf("chunk %d,", n)
				want.WriteString(data)
				st[fmt.Sprintf("%s:%0*d", c.stored, c.digits, n)] = data
			}
			a, err := archive.OpenJs3tream(t.Context(), st, c.name, 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := a.Get(t.Context(), st, &out, getOptions()); err != nil || out.String() != want.String() {
				t.Errorf("got %q, %v", &out, err)
			}
			delete(st, fmt.Sprintf("%s:%0*d", c.stored, c.digits, 7))
			if _, err := archive.OpenJs3tream(t.Context(), st, c.name, 1<<20); cli.ExitStatus(err) != cli.Integrity {
				t.Errorf("a gap: %v", err)
			}
		})
	}
}

func TestPlainFormSaysWhatJs3treamNeeds(t *testing.T) {
	st, _ := bucket(t)
	putRaw(t, st, "old:0000000000000", "x")
	_, err := archive.Newest(t.Context(), st, "old", nil)
	var text bytes.Buffer
	cli.PrintError(&text, "t", err)
	if !errors.Is(err, archive.ErrNotExist) || !strings.Contains(text.String(), "--js3tream") {
		t.Errorf("got %s", &text)
	}
	if _, err := archive.OpenJs3tream(t.Context(), st, "absent", 1<<20); cli.ExitStatus(err) != cli.NotFound {
		t.Errorf("absent: %v", err)
	}
}

func TestChunksShowWhatIsMissing(t *testing.T) {
	st, _ := bucket(t)
	m := mustPut(t, st, "n", random(95), 10)
	for _, n := range []int{0, 4, 5, 6, 9} {
		if err := st.Delete(t.Context(), chunkPath("", m, n)); err != nil {
			t.Fatal(err)
		}
	}
	for _, foreign := range []int64{10, 123456789012} {
		putRaw(t, st, archive.ChunkKey("n", m.Run, foreign), "x")
	}
	putRaw(t, st, "n:"+string(m.Run)+":07", "x")
	putRaw(t, st, "n:"+string(m.Run)+":09223372036854775807", "x")
	var missing [][2]int64
	var foreign []int64
	total := 0
	for c, err := range archive.Chunks(t.Context(), st, archive.RunInfo{Name: "n", Run: m.Run, Manifest: m}) {
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.Foreign:
			foreign = append(foreign, c.Number)
			continue
		case c.Missing:
			missing = append(missing, [2]int64{c.Number, c.Last})
			if want := min(10*(c.Last-c.Number+1), 95-10*c.Number); c.Size != want {
				t.Errorf("chunks %d to %d should have %d bytes, not %d", c.Number, c.Last, want, c.Size)
			}
		}
		total += int(c.Last-c.Number) + 1
		if (len(c.SHA256) == 64) != (c.Last == c.Number) {
			t.Errorf("chunk %d has the sum %q", c.Number, c.SHA256)
		}
	}
	if total != 10 || !slices.Equal(missing, [][2]int64{{0, 0}, {4, 6}, {9, 9}}) {
		t.Errorf("%d chunks, missing %v", total, missing)
	}
	slices.Sort(foreign)
	if !slices.Equal(foreign, []int64{7, 10, 123456789012, math.MaxInt64}) {
		t.Errorf("foreign: %v", foreign)
	}
}

func TestJs3treamNumbersThatCannotBeAreRefused(t *testing.T) {
	for name, keys := range map[string][]string{
		"far apart":   {"a:0", "a:9223372036854775807", "a:4611686018427387904"},
		"twice":       {"a:0", "a:1", "a:01"},
		"not the end": {"a:1", "a:2"},
	} {
		st := memory{}
		for _, key := range keys {
			st[key] = "x"
		}
		if _, err := archive.OpenJs3tream(t.Context(), st, "a", 1<<20); cli.ExitStatus(err) != cli.Integrity {
			t.Errorf("%s: %v", name, err)
		}
	}
	st := memory{}
	for n := range 100 {
		st[fmt.Sprintf("a:%d", n)] = "x"
	}
	if _, err := archive.OpenJs3tream(t.Context(), st, "a", 99*72); cli.ExitStatus(err) != cli.Usage {
		t.Errorf("more chunks than memory: %v", err)
	}
	if a, err := archive.OpenJs3tream(t.Context(), st, "a", 100*72); err != nil || a.Chunks() != 100 || a.Bytes() != 100 {
		t.Errorf("as many chunks as memory: %v", err)
	}
}

// TestSumsCountAgainstTheMemory: an archive of many chunks says how much more
// it needs, before anything is read.
func TestSumsCountAgainstTheMemory(t *testing.T) {
	const chunks = 8<<20/32 + 1000
	run, _ := archive.NewRun(time.Now(), "")
	var sums strings.Builder
	sum := sha256.Sum256([]byte("x"))
	for n := range chunks {
		fmt.Fprintf(&sums, "%x  %013d\n", sum, n)
	}
	st := memory{"n:" + string(run) + ":SHA256SUMS": sums.String()}
	all := sha256.Sum256([]byte(sums.String()))
	m := &archive.Manifest{Name: "n", Run: run, Bytes: chunks, ChunkBytes: 1, Chunks: chunks, Sums: fmt.Sprintf("%x", all)}
	for memory, want := range map[int64]int{32*1000 - 1: cli.Usage, 32 * 1000: cli.Usage, 32*1000 + 1: cli.Integrity} {
		o := getOptions()
		o.Budget.Memory = memory
		err := archive.Get(t.Context(), st, m, io.Discard, o) // the first chunk is missing
		if cli.ExitStatus(err) != want {
			t.Errorf("memory %d: status %d, %v", memory, cli.ExitStatus(err), err)
		}
	}
}

func TestIsOursKnowsItsObjectsFromOthers(t *testing.T) {
	for key, want := range map[string]bool{
		"a/b:20261120T031502Z-k3f9:0000000000000": true,
		"a/b:20261120T031502Z-k3f9:manifest":      true,
		"a/b:20261120T031502Z-k3f9:SHA256SUMS":    true,
		"a/b:20261120T031502Z-k3f9:000":           false,
		"a/b:20261120T031502Z:manifest":           false,
		"a/b:0000000000000":                       false,
		"/a:20261120T031502Z-k3f9:manifest":       false,
		"plain":                                   false,
		"":                                        false,
	} {
		if got := archive.IsOurs(key); got != want {
			t.Errorf("IsOurs(%q) = %v", key, got)
		}
	}
}

// memory is a store for keys that a directory cannot hold.
type memory map[string]string

func (m memory) Put(context.Context, archive.Upload) error { return errors.ErrUnsupported }

func (m memory) Clock() (time.Time, bool) { return time.Now(), true }

func (m memory) Delete(context.Context, ...string) error { return errors.ErrUnsupported }

func (m memory) List(_ context.Context, q archive.Query) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(m)) {
			if strings.HasPrefix(key, q.Prefix) && !yield(archive.Entry{Key: key, Size: int64(len(m[key]))}, nil) {
				return
			}
		}
	}
}

func (m memory) Get(_ context.Context, key string) (io.ReadCloser, int64, error) {
	data, ok := m[key]
	if !ok {
		return nil, 0, archive.ErrNotExist
	}
	return io.NopCloser(strings.NewReader(data)), int64(len(data)), nil
}
