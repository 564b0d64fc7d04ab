//go:build unix

package logging

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// socket is where a test's syslog listens: short, as the kernel wants it.
func socket(t *testing.T) string {
	dir, err := os.MkdirTemp("", "log")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

func listen(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func receive(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	b := make([]byte, 1<<16)
	n, err := conn.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b[:n])
}

var stamp = regexp.MustCompile(`^<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d napback\[(\d+)\]: `)

func TestSyslogGetsLinesWithTheirSeverity(t *testing.T) {
	path := socket(t)
	conn := listen(t, path)
	var stderr bytes.Buffer
	log := open(t, Options{Syslog: true, Run: "r7", Secrets: []string{"hidden"}, Stderr: &stderr, syslogPaths: []string{"/nonexistent/log", path}})
	log = AtLevel(log, slog.LevelDebug)
	for level, severity := range map[slog.Level]int{slog.LevelDebug: 31, slog.LevelInfo: 30, slog.LevelWarn: 28, slog.LevelError: 27} {
		log.Log(t.Context(), level, "a\nb hidden", Job, "home/build", Stage, "tar", "n", 1)
		got := receive(t, conn)
		m := stamp.FindStringSubmatch(got)
		if m == nil || m[1] != fmt.Sprint(severity) || m[2] != fmt.Sprint(os.Getpid()) {
			t.Errorf("begins %q, want severity %d", got, severity)
		}
		if text := stamp.ReplaceAllString(got, ""); text != `r7 home/build tar: a\nb *** n=1` {
			t.Errorf("text is %q", text)
		}
	}
	if stderr.Len() > 0 {
		t.Errorf("stderr: %s", stderr.String())
	}
}

func TestSyslogIsFoundAgainAfterItsRestart(t *testing.T) {
	path := socket(t)
	conn := listen(t, path)
	log := open(t, Options{Syslog: true, Format: JSON, syslogPaths: []string{path}})
	log.Info("one")
	if got := receive(t, conn); !strings.Contains(got, `"msg":"one"`) {
		t.Errorf("got %q", got)
	}
	conn.Close()
	os.Remove(path)
	conn = listen(t, path)
	log.Info("two")
	if got := receive(t, conn); !strings.Contains(got, `"msg":"two"`) {
		t.Errorf("got %q", got)
	}
}

func TestSyslogOverAStream(t *testing.T) {
	path := socket(t)
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	log, closer, err := Open(Options{Syslog: true, syslogPaths: []string{path}})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("one")
	log.Info("two")
	closer.Close()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	data, err := io.ReadAll(conn)
	if got := string(data); err != nil || strings.Count(got, "\n") != 2 || !strings.HasSuffix(got, ": two\n") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestSyslogThatIsNotThereCostsOneWarning(t *testing.T) {
	var stderr bytes.Buffer
	path := filepath.Join(t.TempDir(), "log")
	file := filepath.Join(t.TempDir(), "file")
	log := open(t, Options{Syslog: true, File: file, Stderr: &stderr, syslogPaths: []string{path}})
	log.Info("one")
	log.Info("two")
	got := stderr.String()
	if !strings.HasPrefix(got, "napback: warning: syslog: nothing listens at "+path+"; ") || strings.Count(got, "\n") != 3 || !strings.Contains(got, " INFO two\n") {
		t.Errorf("stderr: %q", got)
	}
	if n := lines(t, file); n != 2 {
		t.Errorf("the file has %d lines", n)
	}
}

// A syslog that is stopped but holds its socket would block a writer for ever.
func TestSyslogThatHangsHoldsNobodyUp(t *testing.T) {
	path := socket(t)
	listen(t, path) // and never reads
	var stderr bytes.Buffer
	log := open(t, Options{Syslog: true, Stderr: &stderr, syslogPaths: []string{path}})
	for i := range 1000 { // more than any system queues
		log.Info(strings.Repeat("x", 1000), "i", i)
	}
	if got := stderr.String(); !strings.HasPrefix(got, "napback: warning: syslog: ") || !strings.HasSuffix(got, "i=999\n") {
		t.Errorf("stderr: %.300q", got)
	}
}
