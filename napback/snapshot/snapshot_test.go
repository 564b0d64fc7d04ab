package snapshot

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const head = "GNU tar-1.34-2\n"

func joined(f ...string) string { return strings.Join(f, "\x00") + "\x00" }

func sample() string {
	return head + joined("100", "500000000") +
		joined("0", "90", "1", "64769", "17", "home/x", "Dsub", "Yfile\nname", "", "") +
		joined("1", "91", "2", "64769", "18", "home/x/sub", "", "")
}

func TestRewriteForgetsDevicesAndSetsTheStartBack(t *testing.T) {
	var out bytes.Buffer
	start, err := Rewrite(&out, strings.NewReader(sample()), nil)
	want := head + joined("97", "500000000") +
		joined("0", "90", "1", "0", "17", "home/x", "Dsub", "Yfile\nname", "", "") +
		joined("1", "91", "2", "0", "18", "home/x/sub", "", "")
	if err != nil || out.String() != want || !start.Equal(time.Unix(100, 5e8)) {
		t.Errorf("got %q, %v, %v", out.String(), start, err)
	}
}

func TestRewriteLeavesOutWhatIsNotKept(t *testing.T) {
	var out bytes.Buffer
	if _, err := Rewrite(&out, strings.NewReader(sample()), func(d *Directory) bool {
		d.Modified = time.Unix(-1, 7)
		return d.Name != "home/x/sub"
	}); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "home/x/sub") || !strings.HasSuffix(out.String(), joined("0", "-1", "7", "0", "17", "home/x", "Dsub", "Yfile\nname", "", "")) {
		t.Errorf("got %q", out.String())
	}
}

func TestEveryCutSnapshotIsRefused(t *testing.T) {
	whole := sample()
	boundaries := map[int]bool{}
	for _, end := range []string{"500000000\x00", "name\x00\x00\x00"} {
		boundaries[strings.Index(whole, end)+len(end)] = true
	}
	for n := range len(whole) {
		_, err := Rewrite(&bytes.Buffer{}, strings.NewReader(whole[:n]), nil)
		if (err == nil) != boundaries[n] {
			t.Errorf("cut at %d (%q): %v", n, whole[:n], err)
		}
	}
	for _, other := range []string{"", "GNU tar-1.34-1\n1\x002\x00", "1234\n", head + joined("x", "1"), head + joined("1", "1", "0", "1", "1", "1", "1", "n", "", "x")} {
		if _, err := Rewrite(&bytes.Buffer{}, strings.NewReader(other), nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", other, err)
		}
	}
}

func TestAReaderTellsWhatIsKnownOfDirectories(t *testing.T) {
	s, err := NewReader(strings.NewReader(head + joined("100", "5", "0", "-90", "1", "64769", "17", "home/x", "Dsub", "Yfile\nname", "Nold", "Yb", "", "") + joined("1", "91", "2", "64770", "18", "home/x/sub", "", "")))
	if err != nil || !s.Start.Equal(time.Unix(100, 5)) {
		t.Fatal(s, err)
	}
	for _, want := range []*Directory{
		{"home/x", time.Unix(-90, 1), 64769, 17, []string{"file\nname", "b"}},
		{"home/x/sub", time.Unix(91, 2), 64770, 18, nil},
	} {
		if got, err := s.Next(); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%v: %s", err, cmp.Diff(want, got))
		}
	}
	if _, err := s.Next(); err != io.EOF {
		t.Error(err)
	}
	s, err = NewReader(strings.NewReader(sample()[:len(sample())-1]))
	for err == nil {
		_, err = s.Next()
	}
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	for _, bad := range []string{"x", "-1", ""} {
		s, err := NewReader(strings.NewReader(head + joined("1", "1", "0", "1", "1", bad, "1", "n", "", "")))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Next(); !errors.Is(err, ErrFormat) {
			t.Errorf("device %q: %v", bad, err)
		}
	}
}

func FuzzRewrite(f *testing.F) {
	f.Add(sample())
	f.Add(head)
	f.Fuzz(func(t *testing.T, s string) {
		var once, twice bytes.Buffer
		if _, err := Rewrite(&once, strings.NewReader(s), nil); err != nil {
			return
		}
		if _, err := Rewrite(&twice, bytes.NewReader(once.Bytes()), nil); err != nil && !strings.Contains(s, "-9223372036") {
			t.Errorf("what Rewrite wrote it cannot read: %v", err)
		}
	})
}
