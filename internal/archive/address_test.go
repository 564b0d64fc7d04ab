package archive

import (
	"strings"
	"testing"

	"napback/internal/cli"
)

func TestParseAddressForms(t *testing.T) {
	for _, c := range []struct {
		in   string
		want Address
	}{
		{"b:n", Address{"b", "n", ""}},
		{"b:home/build-3-DIFF", Address{"b", "home/build-3-DIFF", ""}},
		{"b:/home/build", Address{"b", "home/build", ""}},
		{"b://home", Address{"b", "home", ""}},
		{"s3://b/n", Address{"b", "n", ""}},
		{"s3://b//n", Address{"b", "n", ""}},
		{"b:n:20261120T031502Z-k3f9", Address{"b", "n", "20261120T031502Z-k3f9"}},
		{"s3://b/n:20261120T031502Z-k3f9", Address{"b", "n", "20261120T031502Z-k3f9"}},
		{"b:with space/ünï+%&'\"", Address{"b", "with space/ünï+%&'\"", ""}},
		{"b:...", Address{"b", "...", ""}},
	} {
		got, err := ParseAddress(c.in)
		if err != nil || got != c.want {
			t.Errorf("ParseAddress(%q) = %+v, %v; want %+v", c.in, got, err, c.want)
		}
	}
}

func TestParseAddressSaysWhatIsWrong(t *testing.T) {
	for in, reason := range map[string]string{
		"":                                    "bucket is missing",
		"b":                                   "name is missing",
		"b:":                                  "name is missing",
		":n":                                  "bucket is missing",
		"b:/":                                 "name is empty",
		"b:a//b":                              "'//'",
		"b:a/":                                "end with '/'",
		"b:a/../b":                            `component ".."`,
		"b:.":                                 `component "."`,
		"b:a:b":                               "is not a run",
		"b:a:b:20261120T031502Z-k3f9":         "':'",
		"b:n:20261320T031502Z-k3f9":           "no such time",
		"b:n:20261120T031502Z-K3F9":           "is not a run",
		"b:a\nb":                              "control character",
		"b:\xff":                              "not UTF-8",
		"..:n":                                "not a bucket",
		"a/b:n":                               "not a bucket",
		"s3:///n":                             "bucket is missing",
		"b:" + strings.Repeat("x", 1024-36+1): "1 bytes too long",
	} {
		_, err := ParseAddress(in)
		if err == nil || !strings.Contains(err.Error(), reason) || cli.ExitStatus(err) != cli.Usage {
			t.Errorf("ParseAddress(%q): %v; want a usage error with %q", in, err, reason)
		}
	}
	if _, err := ParseAddress("b:" + strings.Repeat("x", 1024-36)); err != nil {
		t.Errorf("the longest name: %v", err)
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"b:n", "s3://b/n", "b:n:20261120T031502Z-k3f9", "b:/a/../b", ":", "b:\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := ParseAddress(in)
		if err != nil {
			return
		}
		again, err := ParseAddress(a.String())
		if err != nil || again != a {
			t.Fatalf("%q parses to %+v, which parses to %+v, %v", in, a, again, err)
		}
	})
}
