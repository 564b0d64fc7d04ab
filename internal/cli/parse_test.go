package cli

import (
	"bytes"
	"strings"
	"testing"
)

type testOptions struct {
	Chunk Size   `short:"z" name:"chunk-size" default:"25M" help:"Bytes in a chunk."`
	Addr  string `arg:"" name:"bucket:name" help:"Where to."`
}

func parseTest(args ...string) (testOptions, string, bool, error) {
	var o testOptions
	var out bytes.Buffer
	done, err := Parse(&o, args, Streams{Out: &out, Err: &out}, Describe{
		Tool: "tool", Purpose: "Store a stream.", Example: "tar -c . | tool b:n"})
	return o, out.String(), done, err
}

func TestParseFillsOptions(t *testing.T) {
	o, out, done, err := parseTest("-z", "64MiB", "b:n")
	if err != nil || done || out != "" || o.Chunk != 64<<20 || o.Addr != "b:n" {
		t.Fatalf("got %+v, %q, %v, %v", o, out, done, err)
	}
	if o, _, _, _ := parseTest("b:n"); o.Chunk != 25e6 {
		t.Fatalf("default chunk size = %d", o.Chunk)
	}
}

func TestHelpAndVersionNeedNoArguments(t *testing.T) {
	for _, flag := range []string{"-h", "--help"} {
		_, out, done, err := parseTest(flag)
		if err != nil || !done || !strings.Contains(out, "Store a stream.") || !strings.Contains(out, "tar -c . | tool b:n") {
			t.Errorf("%s: done %v, err %v, out %q", flag, done, err, out)
		}
	}
	for _, flag := range []string{"-V", "--version"} {
		_, out, done, err := parseTest(flag)
		if err != nil || !done || !strings.HasPrefix(out, "tool ") || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: done %v, err %v, out %q", flag, done, err, out)
		}
	}
}

func TestWrongCommandLineIsUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"--nonsense", "b:n"}, {"-z", "big", "b:n"}, {"b:n", "extra"}} {
		_, out, done, err := parseTest(args...)
		if done || ExitStatus(err) != Usage || out != "" {
			t.Errorf("%q: done %v, status %d, err %v, out %q", args, done, ExitStatus(err), err, out)
		}
	}
}

func TestOldFlagsAreToldWhatToWrite(t *testing.T) {
	d := Describe{Tool: "tool", Old: map[string]string{"-f": "write --spool", "-b": "write nothing", "-q": "never told"}}
	for _, c := range []struct{ args, want string }{
		{"-f -b x", "tool: hint: tool -h lists the options\ntool: hint: write --spool\ntool: hint: write nothing\n"},
		{"--bad -- -f", "tool: hint: tool -h lists the options\n"},
	} {
		var o testOptions
		var out bytes.Buffer
		_, err := Parse(&o, strings.Fields(c.args), Streams{Out: &out, Err: &out}, d)
		PrintError(&out, "tool", err)
		_, hints, _ := strings.Cut(out.String(), "\n")
		for _, line := range strings.Split(strings.TrimSpace(c.want), "\n") {
			if !strings.Contains(hints, line) {
				t.Errorf("%q: %q lacks %q", c.args, hints, line)
			}
		}
		if strings.Count(hints, "hint") != strings.Count(c.want, "hint") {
			t.Errorf("%q: %q", c.args, hints)
		}
	}
}
