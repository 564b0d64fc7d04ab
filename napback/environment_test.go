//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestStoreToolsSeeNoPasswords: what s3put, s3ls, s3get and s3rm are started
// with has the way to the store, and no other secret of the environment.
func TestStoreToolsSeeNoPasswords(t *testing.T) {
	s := newSite(t)
	s.write("f", "content")
	seen := filepath.Join(t.TempDir(), "seen")
	for _, tool := range []string{"s3put", "s3ls", "s3get", "s3rm"} {
		s.fake(tool, "{ echo '"+tool+":'; env; } >>"+seen+"\n"+`exec "$REAL" "$@"`)
	}
	s.env = []string{"PGPASSWORD=hunter1", "MYSQL_PWD=hunter2", "PASSPHRASE=hunter3", "AWS_REGION=eu-north-1", "https_proxy=http://127.0.0.1:1"}
	s.napback(0, day(0))
	s.napback(0, day(1))
	s.napback(0, day(1), "restore", "--to", filepath.Join(t.TempDir(), "back"), "job")
	text, err := os.ReadFile(seen)
	s.must(err)
	for _, want := range []string{"s3put:\n", "s3ls:\n", "s3get:\n", "AWS_REGION=eu-north-1\n", "https_proxy=http://127.0.0.1:1\n", "HOME=" + s.dir} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not among what the tools see", want)
		}
	}
	if strings.Contains(string(text), "hunter") {
		t.Errorf("the tools see\n%s", text)
	}
}
