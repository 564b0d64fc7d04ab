//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/tooltest"
)

// poison changes what the manifests say that people get to see.
func (s *site) poison(fields ...string) {
	s.t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.store, "bk", "*:manifest"))
	s.must(err)
	if len(paths) == 0 {
		s.t.Fatal("no manifest")
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		s.must(err)
		var m map[string]any
		s.must(json.Unmarshal(data, &m))
		meta, _ := m["meta"].(map[string]any)
		for _, field := range fields {
			if _, ok := meta[field]; ok {
				meta[field] = tooltest.Hostile
				continue
			}
			m[field] = tooltest.Hostile
		}
		data, err = json.Marshal(m)
		s.must(err)
		s.must(os.WriteFile(path, data, 0o600))
	}
}

func TestATerminalObeysNothingOfWhatComesBack(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	s.napback(0, day(0))
	s.write("b", "2")
	s.napback(0, day(1))
	manifests, err := filepath.Glob(filepath.Join(s.store, "bk", "*:manifest"))
	s.must(err)
	good := map[string][]byte{}
	for _, path := range manifests {
		good[path], err = os.ReadFile(path)
		s.must(err)
	}
	for _, fields := range [][]string{
		{"host", "tag", "tool", "recover"}, {"source"}, {"job"}, {"type"}, {"slot"}, {"date"}, {"stages", "compression", "warnings"},
		{"encryption"}, {"chain", "parent"}, {"unpack"}, {"name"}, {"run"}, {"format"}, {"sums"},
	} {
		for path, data := range good {
			s.must(os.WriteFile(path, data, 0o600))
		}
		s.poison(fields...)
		for _, args := range [][]string{
			{"list"}, {"list", "--json"}, {"status"}, {"status", "--json"}, {"verify"}, {"check"}, {"-t"}, {"-t", "-f"}, {},
			{"list", "--host", tooltest.Hostile}, {"restore", "-p", "--to", s.dir + "/out", "job"}, {"restore", "--to", s.dir + "/out", "job"},
			{"restore", "--to", s.dir + "/out2", "job", tooltest.Hostile}, {"restore", "--at", tooltest.Hostile, "--to", s.dir + "/out3", "job"},
			{"restore", "--to", s.dir + "/out4", tooltest.Hostile}, {tooltest.Hostile}, {"--" + tooltest.Hostile},
		} {
			e := s.tool("napback", append([]string{"-c", s.conf}, args...)...)
			tooltest.Harmless(t, strings.Join(fields, " ")+": napback "+strings.Join(args, " "), e.out+e.stderr)
			for _, dir := range []string{"/out", "/out2", "/out3", "/out4"} {
				s.must(os.RemoveAll(s.dir + dir))
			}
		}
	}
}

func TestATerminalObeysNothingOfWhatProgramsSay(t *testing.T) {
	s := newSite(t, "RunBefore HOOK", "RunAfter HOOK")
	hostile := filepath.Join(s.dir, "said")
	s.must(os.WriteFile(hostile, []byte(tooltest.Hostile+"\n"), 0o600))
	hook := s.program("hook", "cat "+hostile+"; cat "+hostile+" >&2")
	text, err := os.ReadFile(s.conf)
	s.must(err)
	s.must(os.WriteFile(s.conf, []byte(strings.ReplaceAll(string(text), "HOOK", hook)), 0o600))
	s.write(strings.ReplaceAll(tooltest.Hostile, "/", ""), "1")
	for _, tool := range []string{"", "tar", "zstd", "s3put", "s3ls"} {
		s.real()
		if tool != "" {
			s.fake(tool, "cat "+hostile+" >&2; exec $REAL \"$@\"")
		}
		for _, args := range [][]string{{"-d", "-f"}, {"-f"}, {"status"}, {"check"}} {
			e := s.tool("napback", append([]string{"-c", s.conf, "--date", day(0)}, args...)...)
			tooltest.Harmless(t, "with "+tool+" napback "+strings.Join(args, " "), e.out+e.stderr)
			if tool == "" && args[0] == "-d" && !strings.Contains(e.stderr, "?[2J") {
				t.Errorf("the hook's words are not shown: %v", e)
			}
		}
		if tool == "" {
			continue
		}
		s.fake(tool, "cat "+hostile+" >&2; exit 9")
		for _, args := range [][]string{{"-f"}, {"status"}, {"list"}, {"restore", "--to", s.dir + "/out", "job"}} {
			e := s.tool("napback", append([]string{"-c", s.conf, "--date", day(0)}, args...)...)
			tooltest.Harmless(t, "with "+tool+" that fails napback "+strings.Join(args, " "), e.out+e.stderr)
		}
	}
}
