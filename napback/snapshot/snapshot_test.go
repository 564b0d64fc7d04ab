package snapshot

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

const head = "GNU tar-1.34-2\n"

func fields(f ...string) string { return strings.Join(f, "\x00") + "\x00" }

func sample() string {
	return head + fields("100", "500000000") +
		fields("0", "90", "1", "64769", "17", "home/x", "Dsub", "Yfile\nname", "", "") +
		fields("1", "91", "2", "64769", "18", "home/x/sub", "", "")
}

func TestRewriteForgetsDevicesAndSetsTheStartBack(t *testing.T) {
	var out bytes.Buffer
	start, err := Rewrite(&out, strings.NewReader(sample()), nil)
	want := head + fields("97", "500000000") +
		fields("0", "90", "1", "0", "17", "home/x", "Dsub", "Yfile\nname", "", "") +
		fields("1", "91", "2", "0", "18", "home/x/sub", "", "")
	if err != nil || out.String() != want || !start.Equal(time.Unix(100, 5e8)) {
		t.Errorf("got %q, %v, %v", out.String(), start, err)
	}
}

func TestRewriteMakesStaleDirectoriesUnknown(t *testing.T) {
	var out bytes.Buffer
	if _, err := Rewrite(&out, strings.NewReader(sample()), func(name string) bool { return name == "home/x/sub" }); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(out.String(), fields("1", "91", "2", "0", "0", "home/x/sub", "", "")) || !strings.Contains(out.String(), fields("0", "17", "home/x")) {
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
	for _, other := range []string{"", "GNU tar-1.34-1\n1\x002\x00", "1234\n", head + fields("x", "1"), head + fields("1", "1", "0", "1", "1", "1", "1", "n", "", "x")} {
		if _, err := Rewrite(&bytes.Buffer{}, strings.NewReader(other), nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%q: %v", other, err)
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
