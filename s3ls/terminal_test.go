package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/tooltest"
)

// edit changes the only manifest in a bucket of a file store.
func edit(t *testing.T, s tooltest.Store, change func(m map[string]any)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(s.Dir, "b", "*:manifest"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("manifests %q, %v", paths, err)
	}
	data, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatal(err)
	}
	change(m)
	if data, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(paths[0], data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestATerminalObeysNothingOfWhatABucketHolds(t *testing.T) {
	s := tooltest.File(t)
	if err := os.Mkdir(filepath.Join(s.Dir, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.Put(t, "b:n\u202egnp", []byte("data"), 10)
	edit(t, s, func(m map[string]any) {
		m["tag"], m["host"], m["tool"] = tooltest.Hostile, tooltest.Hostile, tooltest.Hostile
		m["recover"], m["meta"] = tooltest.Hostile, map[string]string{tooltest.Hostile: tooltest.Hostile}
	})
	other := filepath.Join(s.Dir, "b", strings.ReplaceAll(tooltest.Hostile, "/", ""))
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"s3ls", "b"}, {"s3ls", "-r", "b"}, {"s3ls", "-a", "b"}, {"s3ls", "--chunks", "b"}, {"s3ls", "-v", "--debug", "-r", "b"},
		{"s3ls", "b:" + tooltest.Hostile}, {"s3ls", tooltest.Hostile}, {"s3ls", "--" + tooltest.Hostile},
		{"s3get", "--verify", "b:n\u202egnp"}, {"s3get", "b:\u202e"}, {"s3get", "b:" + tooltest.Hostile},
		{"s3rm", "-p", "b:n\u202egnp"}, {"s3put", "b:" + tooltest.Hostile, "--", "true"}, {"s3put", "b:x", "--", tooltest.Hostile},
	} {
		r := s.Run(t, nil, args[0], args[1:]...)
		tooltest.Harmless(t, strings.Join(args, " "), r.Out+r.Err)
		if args[0] == "s3ls" && args[1] == "-a" && !strings.Contains(r.Out, "?[2J") {
			t.Errorf("%q shows nothing of the other object:\n%s", args, r.Out)
		}
	}
	r := s.Run(t, nil, "s3ls", "--json", "-a", "-r", "b")
	tooltest.Harmless(t, "s3ls --json", r.Out)
	var line struct {
		Tag  string
		Meta map[string]string
	}
	for text := range strings.Lines(r.Out) {
		if strings.Contains(text, `"tag"`) {
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatal(err)
			}
		}
	}
	if line.Tag != tooltest.Hostile || line.Meta[tooltest.Hostile] != tooltest.Hostile {
		t.Errorf("s3ls --json changes values: %q", line)
	}
	// What cannot be read is quoted in the reason.
	edit(t, s, func(m map[string]any) { m["format"], m["name"] = tooltest.Hostile, tooltest.Hostile })
	for _, args := range [][]string{{"s3ls", "-r", "b"}, {"s3ls", "--json", "-r", "b"}, {"s3get", "b:n\u202egnp"}} {
		r := s.Run(t, nil, args[0], args[1:]...)
		tooltest.Harmless(t, strings.Join(args, " "), r.Out+r.Err)
	}
}
