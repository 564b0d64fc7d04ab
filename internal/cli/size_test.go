package cli

import (
	"math"
	"testing"
)

func TestParseSizeUnits(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64
	}{
		{"0", 0}, {"25000000", 25000000}, {"25M", 25000000}, {"25MB", 25000000}, {"64MiB", 64 << 20},
		{"64mi", 64 << 20}, {"1k", 1000}, {"1KiB", 1024}, {"2G", 2e9}, {"2GiB", 2 << 30}, {"3T", 3e12},
		{"9223372036854775807", math.MaxInt64}, {"7 B", 7},
	} {
		got, err := ParseSize(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", c.in, got, err, c.want)
		}
	}
	for _, in := range []string{"", "M", "-1", "1.5M", "1X", "1Mx", "9223372036854775808", "9223372036854776k", "1MM", "0x10", "+5"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("ParseSize(%q) = %d; want an error", in, got)
		}
	}
}

func TestFormatSizeRoundsIntoTheNextUnit(t *testing.T) {
	for _, c := range []struct {
		in   int64
		want string
	}{{0, "0 B"}, {999, "999 B"}, {1000, "1.0 kB"}, {999949, "999.9 kB"}, {999950, "1.0 MB"}, {25e6, "25.0 MB"}, {math.MaxInt64, "9.2 EB"}} {
		if got := FormatSize(c.in); got != c.want {
			t.Errorf("FormatSize(%d) = %q; want %q", c.in, got, c.want)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	for _, s := range []string{"25M", "64MiB", "", "9223372036854775807", "1 k"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParseSize(s); err == nil && n < 0 {
			t.Fatalf("ParseSize(%q) = %d", s, n)
		}
	})
}
