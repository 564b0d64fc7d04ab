//go:build unix

package check

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/napback/backup"
	"napback/napback/config"
	"napback/napback/journal"
	"napback/napback/programs"
)

// A database that waits for a lock, and a store that takes connections and answers
// none, cost their own lines and no others.
func TestWhatHangsKeepsNothingElseFromBeingTested(t *testing.T) {
	storetest.NotQuick(t, "waits for limits")
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{bin, dir + "/diffs", dir + "/src"} {
		must(os.Mkdir(d, 0o755))
	}
	for name, text := range map[string]string{
		"mariadb-dump": "echo >&2 waiting; exec sleep 1000", "s3ls": "exec sleep 1000",
		"napback": "exec cat >/dev/null", "s3put": "exit 1", "s3get": "exit 1",
	} {
		must(os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	conf := filepath.Join(dir, "conf")
	must(os.WriteFile(conf, fmt.Appendf(nil, "Bucket bk\nEndpoint http://127.0.0.1:1\nDiffDir %s/diffs\nLogFile %[1]s/log\nMySQL shop\nDirectory %[1]s/src\n", dir), 0o600))
	c, err := config.Load(conf, config.Env{Host: "web1"})
	must(err)
	found := map[string]string{}
	r := &Ready{
		Host:  backup.Host{Kit: programs.New(), Name: "web1", Now: time.Now, Log: journal.New(io.Discard, false)},
		Write: true, limit: 200 * time.Millisecond,
		Result: func(what string, err error) { found[what] = fmt.Sprint(err) },
		Doubt:  func(what, why string) { found[what] = why },
	}
	must(r.Check(t.Context(), []*config.Config{c}))
	for what, want := range map[string]string{
		"MySQL shop": "no answer within", "bucket bk at http://127.0.0.1:1": "no answer within",
		"Directory " + dir + "/src": "<nil>", "LogFile " + dir + "/log": "<nil>", "DiffDir " + dir + "/diffs": "<nil>",
	} {
		if !strings.Contains(found[what], want) {
			t.Errorf("%s: %q, not %q", what, found[what], want)
		}
	}
	for what := range found {
		if strings.HasPrefix(what, "writing") || strings.HasPrefix(what, "archives") || strings.HasPrefix(what, "clock") {
			t.Errorf("a store that does not answer is asked again: %s", what)
		}
	}
}
