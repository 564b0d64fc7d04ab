package address

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for _, test := range []struct {
		raw  string
		want Endpoint
		err  string
	}{
		{"", Endpoint{}, ""},
		{"file:///mnt/usb", Endpoint{Dir: "/mnt/usb"}, ""},
		{"file:///mnt/a%20b/../c/", Endpoint{Dir: "/mnt/c"}, ""},
		{"file://localhost/mnt", Endpoint{Dir: "/mnt"}, ""},
		{"https://s3.example.com", Endpoint{URL: "https://s3.example.com"}, ""},
		{"http://127.0.0.1:9000/", Endpoint{URL: "http://127.0.0.1:9000"}, ""},
		{"https://example.com/path", Endpoint{URL: "https://example.com/path"}, ""},
		{"file://mnt/usb", Endpoint{}, "not an absolute path"},
		{"file:mnt", Endpoint{}, "not an absolute path"},
		{"file:///a%00b", Endpoint{}, "NUL"},
		{"/mnt/usb", Endpoint{}, "unknown scheme"},
		{"example.com", Endpoint{}, "unknown scheme"},
		{"ftp://example.com", Endpoint{}, "unknown scheme"},
		{"https://", Endpoint{}, "no host"},
		{"https://:9000", Endpoint{}, "no host"},
		{"https://key:pass@example.com", Endpoint{}, "does not belong there"},
		{"https://example.com?x=y", Endpoint{}, "neither a query"},
		{"https://exa mple.com:pass", Endpoint{}, "not a URL"},
	} {
		got, err := ParseEndpoint(test.raw)
		if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%q: %+v, error %v; want %+v, %q", test.raw, got, err, test.want, test.err)
		}
		if err != nil && strings.Contains(err.Error(), "pass@") {
			t.Errorf("%q: the error holds a password: %v", test.raw, err)
		}
	}
}

func FuzzParseEndpoint(f *testing.F) {
	for _, seed := range []string{"", "file:///mnt/usb", "https://s3.example.com", "http://[::1]:9000/x", "https://a:b@c", "file://x", "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		e, err := ParseEndpoint(raw)
		if err != nil {
			if e != (Endpoint{}) {
				t.Errorf("%q: both %+v and error %v", raw, e, err)
			}
			return
		}
		if e.Dir != "" && (!filepath.IsAbs(e.Dir) || e.URL != "") {
			t.Errorf("%q: %+v", raw, e)
		}
		if e.URL != "" {
			if again, err := ParseEndpoint(e.URL); err != nil || again != e {
				t.Errorf("%q: %+v once more is %+v, error %v", raw, e, again, err)
			}
		}
	})
}

func TestBucketsAreCalledAsS3HasEverAllowed(t *testing.T) {
	for name, want := range map[string]bool{
		"b": true, "backups.example.org": true, "My_Bucket-1": true, "9": true, strings.Repeat("x", 255): true, "a..b": true,
		"": false, ".": false, "..": false, ".hidden": false, "-a": false, "_a": false, "a/b": false, "a:b": false, "a b": false, "ü": false, "a\n": false, "a\xff": false,
		strings.Repeat("x", 256): false,
	} {
		if IsBucket(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestNamesThatNoArchiveHas(t *testing.T) {
	for name, want := range map[string]string{
		"home/me": "", "...": "", "ü b%": "", "0123456789": "",
		"": "empty", "a:b": "':'", "/a": "'//'", "a/": "'//'", "a//b": "'//'", "a/../b": `".."`, ".": `"."`, "a\nb": "control character", "a\xff": "not UTF-8",
		"0123456789a": "1 bytes too long",
	} {
		if err := CheckName(name, 10); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}
