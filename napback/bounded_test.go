//go:build linux

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
	"napback/napback/tartest"
)

// bounded runs napback inside the memory that a tool may take, with all that it
// starts.
func (s *site) bounded(env []string, args ...string) tooltest.Result {
	s.t.Helper()
	store := tooltest.Store{Env: append(append(env, "HOME="+s.dir, "PATH="+s.path), s.env...)}
	return store.RunBounded(s.t, nil, filepath.Join(s.bin, "napback"), append([]string{"-c", s.conf}, args...)...)
}

// TestSmallArchivesDoNotTakeMuchMemory: some ten kilobytes that unpack to
// hundreds of megabytes of what a reader of tar archives has to hold.
func TestSmallArchivesDoNotTakeMuchMemory(t *testing.T) {
	const size = 400 << 20
	header := func(kind byte, size int64) string {
		a := &tartest.Archive{}
		a.Block(tartest.Header{Name: "x", Type: kind, Size: size})
		return string(a.Stream()[:512])
	}
	for name, c := range map[string]struct{ begin, then string }{
		"a list of a directory": {header('x', 120_000_024) + "120000024 GNU.dumpdir=",
			`seq -f Y%010.0f 1 10000000 | tr '\n' '\0'; printf '\0\n'; head -c 488 /dev/zero; tail -c 512 "$0.source"; head -c 1024 /dev/zero`},
		"an endless record": {header('x', size) + "419430400 path=", "head -c 419430400 /dev/zero | tr '\\0' a"},
		"a long name":       {header('L', size), "head -c 419430400 /dev/zero | tr '\\0' a"},
		"a long link":       {header('K', size), "head -c 419430400 /dev/zero | tr '\\0' a"},
		"an old list":       {header('D', size), `head -c 419430400 < <(yes Yf | tr '\n' '\0')`},
		"many members":      {"", `cat "$0.source"; for i in 1 2 3 4 5 6 7 8 9; do cat "$0.file" "$0.file" "$0.file" "$0.file" >"$0.4"; mv "$0.4" "$0.file"; done; cat "$0.file"; head -c 1024 /dev/zero`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			begin := filepath.Join(s.dir, "begin")
			s.must(os.WriteFile(begin, []byte(c.begin), 0o600))
			source, file := &tartest.Archive{}, &tartest.Archive{}
			source.Dir(strings.TrimPrefix(s.source, "/"), "Yf")
			s.must(os.WriteFile(begin+".source", blocks(source.Stream()), 0o600))
			file.File(strings.TrimPrefix(s.source, "/")+"/f", "")
			s.must(os.WriteFile(begin+".file", file.Stream()[:512], 0o600))
			cmd := exec.CommandContext(t.Context(), "bash", "-o", "pipefail", "-c",
				`{ cat "$0"; `+c.then+`; } | zstd -q | s3put -m job=job -m type=FULL -m slot=0 -m date=`+day(0)+
					` -m "source=Directory `+s.source+`" -m compression=zstd bk:job-0-FULL`, begin)
			cmd.Env = append(os.Environ(), "HOME="+s.dir, "AWS_ENDPOINT_URL_S3=file://"+s.store, "PATH="+s.bin+":"+s.path)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			for _, args := range [][]string{{"list"}, {"verify", "--unpack", "job"}} {
				r := s.bounded(nil, args...)
				t.Logf("%q: exit status %d, %.200s", args, r.Code, r.Err)
				if r.Code != 0 && r.Code != 5 {
					t.Errorf("%q: exit status %d\n%.1000s", args, r.Code, r.Err)
				}
			}
		})
	}
}

// blocks returns an archive without what ends it.
func blocks(archive []byte) []byte {
	end := len(bytes.TrimRight(archive, "\x00"))
	return archive[:(end+511)/512*512]
}

// TestPlantedRunsDoNotStopABackup, however many there are; nor take much memory.
func TestPlantedRunsDoNotStopABackup(t *testing.T) {
	flood := &storetest.Flood{Names: []string{"job-0-FULL"}, Runs: 1_000_000}
	server := flood.Serve(t)
	s := newSite(t)
	conf, err := os.ReadFile(s.conf)
	s.must(err)
	s.must(os.WriteFile(s.conf, []byte(strings.Replace(string(conf), "file://"+s.store, server.Endpoint+"\nS3KeyFile "+server.KeyFile(t), 1)), 0o600))
	s.write("f", "1")
	r := s.bounded(nil, "--date", day(0))
	if r.Code > 3 || r.Code == 1 || !strings.Contains(r.Err, "somebody has planted more archives than are listed") || flood.Deleted.Load() > 0 {
		t.Errorf("exit status %d, %d objects deleted\n%.3000s", r.Code, flood.Deleted.Load(), r.Err)
	}
	if s.record().Current == nil {
		t.Errorf("nothing is recorded\n%.3000s", r.Err)
	}
	// A restore must not take an older archive for the newest.
	if r := s.bounded(nil, "restore", "--to", t.TempDir(), "job"); r.Code == 0 || !strings.Contains(r.Err, "more than 100000 runs") {
		t.Errorf("restore: exit status %d\n%.3000s", r.Code, r.Err)
	}
}
