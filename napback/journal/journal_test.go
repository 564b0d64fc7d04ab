package journal

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"napback/internal/address"
)

// TestOpenEndpointIsToldOnce: each program of a run says it, napback passes it
// on once, also from the journals of its jobs.
func TestOpenEndpointIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	j := New(&out, false)
	for range 3 {
		j.at(slog.LevelInfo).Lines(nil)("s3ls", `s3ls: note: `+address.OpenEndpoint+`, anybody: "http://s3.example.org"`)
		j.Lines(nil)("s3ls", "s3ls: note: another")
	}
	if strings.Count(out.String(), "s3.example.org") != 1 || strings.Count(out.String(), "note: another") != 3 {
		t.Errorf("told\n%s", &out)
	}
}
