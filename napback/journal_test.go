package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOpenEndpointIsToldOnce: each program of a run says it, napback passes it
// on once, also from the journals of its jobs.
func TestOpenEndpointIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	j := newJournal(&out, false)
	for range 3 {
		j.at(slog.LevelInfo).Lines(nil)("s3ls", `s3ls: `+openEndpoint+`, anybody: "http://s3.example.org"`)
		j.Lines(nil)("s3ls", "s3ls: note: another")
	}
	if strings.Count(out.String(), "s3.example.org") != 1 || strings.Count(out.String(), "note: another") != 3 {
		t.Errorf("told\n%s", &out)
	}
	// napback links no S3 code: the two texts are compared as they stand.
	text, err := os.ReadFile(filepath.Join("..", "internal", "store", "s3.go"))
	if err != nil || !strings.Contains(string(text), `OpenEndpoint = "`+strings.TrimPrefix(openEndpoint, "note: ")) {
		t.Errorf("internal/store says something else, %v", err)
	}
}
