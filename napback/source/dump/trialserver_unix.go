//go:build unix

package dump

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"napback/internal/cli"
	"napback/napback/chain"
	"napback/napback/programs"
	"napback/napback/source"
)

// trialServer is a database server that is started for one load. It can be reached
// only by a socket in its directory, which only its user can enter.
//
// Servers refuse to run as root. For root it runs as nobody, not as the user of the
// host's own server: what a dump makes a server run, as SQL can, must not have that
// one's rights. Who is not root has nobody else's to give it, see mayRun.
type trialServer struct {
	source.Host
	dir   string
	log   *os.File            // what it says
	as    *syscall.Credential // nil: who we are
	stop  context.CancelFunc
	ended chan struct{}
}

// starting is how long a server may take until it answers.
const starting = 5 * time.Minute

// mayRun refuses a server for dumps that anybody can have made who can write to the
// bucket, if it would have the rights of who has the secret key: SQL of a superuser
// runs programs (COPY TO PROGRAM) and writes files (general_log_file).
func mayRun(euid int, signed bool) error {
	if euid == 0 || signed {
		return nil
	}
	return &source.Absent{What: "what is in a dump could run programs as you, and no signature is asked of it: set VerifyKey, or drill as root, whose server runs as nobody"}
}

// newTrialServer gives dir to whom a server will run as.
func newTrialServer(host source.Host, dir string, signed bool) (*trialServer, error) {
	if err := mayRun(os.Geteuid(), signed); err != nil {
		return nil, err
	}
	// Nothing of how people reach their servers may lead the clients there.
	host.Kit.Env = append(chain.Environ(host.Kit.Env), "HOME="+dir)
	s := &trialServer{Host: host, dir: dir, ended: make(chan struct{}), stop: func() {}}
	uid, gid := os.Geteuid(), os.Getegid()
	if uid == 0 {
		nobody, err := user.Lookup("nobody")
		if err != nil {
			return nil, err
		}
		var err1, err2 error
		uid, err1 = strconv.Atoi(nobody.Uid)
		gid, err2 = strconv.Atoi(nobody.Gid)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	var err error
	// Before dir is somebody else's, who could put a link there to what is root's.
	if s.log, err = os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_EXCL|os.O_APPEND|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	if s.as != nil {
		err = os.Chown(dir, uid, gid)
	}
	return s, err
}

// command is a program of the server's. What it says goes to the log.
func (s *trialServer) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = s.dir, s.log, s.log, s.Kit.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.as}
	goesWithUs(cmd.SysProcAttr)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd
}

// run runs a program that makes the server's files.
func (s *trialServer) run(ctx context.Context, program string, args ...string) error {
	cmd := s.command(ctx, program, args...)
	runtime.LockOSThread() // with which, on Linux, the program would end
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		defer s.log.Close() // nothing else is going to run
		return s.failed(ctx, program, err)
	}
	return nil
}

// start starts the server, and waits until it answers.
func (s *trialServer) start(ctx context.Context, answers func(context.Context) error, program string, args ...string) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	cmd := s.command(running, program, args...)
	var failed error
	go func() {
		runtime.LockOSThread() // with which, on Linux, the program would end
		defer close(s.ended)
		failed = cmd.Run()
	}()
	for deadline := time.Now().Add(starting); ; {
		asked := answers(ctx)
		if asked == nil {
			return nil
		}
		select {
		case <-s.ended:
			return s.failed(ctx, program, failed)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return s.failed(ctx, program, fmt.Errorf("it does not answer: %w", asked))
		}
	}
}

// failed tells with which words a program failed.
func (s *trialServer) failed(ctx context.Context, program string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	name := filepath.Base(program)
	if errors.Is(err, fs.ErrPermission) && s.as != nil {
		return cli.WithHint(fmt.Errorf("%s: %w", name, err), "for root it runs as nobody, who has to be able to enter %q: --dir DIR", filepath.Dir(s.dir))
	}
	if err == nil {
		err = errors.New("it has ended")
	}
	const last = 2000
	said := make([]byte, last)
	n := 0
	if info, bad := s.log.Stat(); bad == nil {
		n, _ = s.log.ReadAt(said, max(0, info.Size()-last))
	}
	return fmt.Errorf("%s: %w: %s", name, err, cli.Safe(string(said[:n])))
}

// End ends the server at once: its files are thrown away.
func (s *trialServer) End() {
	s.stop()
	<-s.ended
	s.log.Close()
}

// serverProgram finds a program of servers, which are not in everybody's PATH.
func serverProgram(kit programs.Kit, name string, elsewhere ...string) (string, error) {
	if path, ok := kit.Program(name); ok {
		return path, nil
	}
	for _, pattern := range elsewhere {
		found, _ := filepath.Glob(filepath.Join(pattern, name))
		if len(found) > 0 {
			return newest(found), nil
		}
	}
	return "", &source.Absent{What: name + " is not installed here"}
}

// newest is the path with the highest version in it, of paths that differ in that:
// the longest of the last ones.
func newest(paths []string) string {
	best := paths[0]
	for _, p := range paths {
		if len(p) > len(best) || len(p) == len(best) && p > best {
			best = p
		}
	}
	return best
}
