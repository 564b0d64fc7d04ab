package store

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"napback/internal/cli"
)

// The SDK says on stderr, with a date and in its own form, what its ways to credentials
// meet. Here a metadata service that knows no tokens makes it say so.
func TestWhatTheSDKSaysIsForDebugging(t *testing.T) {
	answers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
	}))
	defer answers.Close()
	clearAWS(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", answers.URL)
	for level, want := range map[int]bool{0: false, 1: false, 2: true} {
		var said bytes.Buffer
		cfg := Config{Options: Options{Endpoint: answers.URL}, Attempts: 1, Log: &cli.Log{Tool: "s3ls", W: &said, Level: level}}
		service, err := Open(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := service.Buckets(t.Context()); err == nil {
			t.Fatal("there are credentials")
		}
		if strings.Contains(said.String(), "s3ls: debug: AWS SDK: ") != want || strings.Contains(said.String(), "SDK 20") {
			t.Errorf("level %d: %q", level, said.String())
		}
	}
}
