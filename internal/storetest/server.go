package storetest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Server is a real S3 server on a loopback port, with its data in the test's
// temporary directory. It is killed when the test ends, and what it printed is
// shown if the test failed.
type Server struct {
	Endpoint  string // http://127.0.0.1:PORT
	AccessKey string
	SecretKey string
	Region    string
	DataDir   string

	t       testing.TB
	command []string
	env     []string
	output  lockedBuffer
	mu      sync.Mutex
	cmd     *exec.Cmd
	exited  chan struct{}
}

// Versitygw starts a Versity S3 gateway over a directory.
func Versitygw(t testing.TB) *Server {
	t.Helper()
	bin := Tool(t, "versitygw", "github.com/versity/versitygw/cmd/versitygw")
	return start(t, func(s *Server, address string) {
		dirs := filepath.Dir(s.DataDir)
		iam := filepath.Join(dirs, "iam")
		if err := os.MkdirAll(iam, 0o700); err != nil {
			t.Fatal(err)
		}
		s.command = []string{bin, "--port", address, "--region", s.Region, "--iam-dir", iam, "--quiet", "--keep-alive", "posix"}
		if !hasXattrs(s.DataDir) {
			sidecar := filepath.Join(dirs, "sidecar")
			if err := os.MkdirAll(sidecar, 0o700); err != nil {
				t.Fatal(err)
			}
			s.command = append(s.command, "--sidecar", sidecar)
		}
		s.command = append(s.command, s.DataDir)
		s.env = []string{"ROOT_ACCESS_KEY=" + s.AccessKey, "ROOT_SECRET_KEY=" + s.SecretKey}
	})
}

// Minio starts a MinIO server.
func Minio(t testing.TB) *Server {
	t.Helper()
	bin := Tool(t, "minio", "github.com/minio/minio")
	return start(t, func(s *Server, address string) {
		s.command = []string{bin, "server", "--quiet", "--address", address,
			"--certs-dir", filepath.Join(filepath.Dir(s.DataDir), "certs"), s.DataDir}
		s.env = []string{"MINIO_ROOT_USER=" + s.AccessKey, "MINIO_ROOT_PASSWORD=" + s.SecretKey,
			"MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_REGION=" + s.Region, "HOME=" + filepath.Dir(s.DataDir)}
	})
}

// Env returns the environment of this process with the AWS_* variables that
// make a child process use the server, and none of the user's own.
func Env(s *Server) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "AWS_") })
	return append(env,
		"AWS_ENDPOINT_URL="+s.Endpoint, "AWS_ACCESS_KEY_ID="+s.AccessKey, "AWS_SECRET_ACCESS_KEY="+s.SecretKey,
		"AWS_REGION="+s.Region, "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
}

// start makes a server on a free port. Another process may take the port
// before the server does; then another one is tried.
func start(t testing.TB, configure func(s *Server, address string)) *Server {
	t.Helper()
	s := &Server{AccessKey: "testaccess", SecretKey: "testsecret0123456789", Region: "us-east-1", t: t}
	s.DataDir = filepath.Join(t.TempDir(), "data")
	if err := os.MkdirAll(s.DataDir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("the server's output:\n%s", s.output.String())
		}
	})
	for try := 1; ; try++ {
		address := freeAddress(t)
		s.Endpoint = "http://" + address
		configure(s, address)
		err := s.run()
		if err == nil {
			return s
		}
		if try == 3 {
			t.Fatalf("start %s: %v\n%s", s.command[0], err, s.output.String())
		}
	}
}

// Stop kills the server, as a crash would, and waits until it is gone.
func (s *Server) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
}

// Start starts a stopped server again on the same port and data.
func (s *Server) Start() {
	s.t.Helper()
	if err := s.run(); err != nil {
		s.t.Fatalf("start %s: %v\n%s", s.command[0], err, s.output.String())
	}
}

func (s *Server) run() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.Command(s.command[0], s.command[1:]...)
	cmd.Env = append(slices.DeleteFunc(os.Environ(), isServerSetting), s.env...)
	cmd.Stdout, cmd.Stderr = &s.output, &s.output
	cmd.Dir = filepath.Dir(s.DataDir)
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		cmd.Wait()
		close(exited)
	}()
	s.cmd, s.exited = cmd, exited
	for !s.answers() {
		select {
		case <-exited:
			s.cmd = nil
			return fmt.Errorf("it ended before it answered: %v", cmd.ProcessState)
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// answers tells whether the server is ready: it refuses a request without a
// signature, rather than the connection or as not initialized yet.
func (s *Server) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint+"/", nil)
	if err != nil {
		return false
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		return false
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusForbidden
}

func isServerSetting(v string) bool {
	for _, prefix := range []string{"MINIO_", "VGW_", "ROOT_", "AWS_"} {
		if strings.HasPrefix(v, prefix) {
			return true
		}
	}
	return false
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// lockedBuffer is written by the process and read by the test.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
