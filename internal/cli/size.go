package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes on a command line or in a configuration: a whole
// number, with k, M, G or T for powers of 1000 (25M, 25MB) or Ki, Mi, Gi, Ti
// for powers of 1024 (64MiB, 64Mi). Letter case is ignored.
type Size int64

// UnmarshalText parses a size.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := ParseSize(string(text))
	*s = Size(n)
	return err
}

// ParseSize returns the number of bytes that text stands for.
func ParseSize(text string) (int64, error) {
	digits := strings.TrimRight(text, "kmgtibKMGTIB")
	unit := strings.ToLower(text[len(digits):])
	factor, ok := map[string]int64{
		"": 1, "b": 1,
		"k": 1e3, "kb": 1e3, "ki": 1 << 10, "kib": 1 << 10,
		"m": 1e6, "mb": 1e6, "mi": 1 << 20, "mib": 1 << 20,
		"g": 1e9, "gb": 1e9, "gi": 1 << 30, "gib": 1 << 30,
		"t": 1e12, "tb": 1e12, "ti": 1 << 40, "tib": 1 << 40,
	}[unit]
	n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 63)
	if err != nil || !ok {
		return 0, fmt.Errorf("size %q: want a whole number of bytes, or with a unit as in 25M, 64MiB", text)
	}
	if int64(n) > math.MaxInt64/factor {
		return 0, fmt.Errorf("size %q: too large", text)
	}
	return int64(n) * factor, nil
}

// FormatSize writes a number of bytes for people: 999 B, 25.0 MB, 1.2 TB, in
// powers of 1000 as disks and bills count.
func FormatSize(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	value, units := float64(n), "kMGTPE"
	i := -1
	for value >= 999.95 && i < len(units)-1 {
		value /= 1000
		i++
	}
	return fmt.Sprintf("%.1f %cB", value, units[i])
}
