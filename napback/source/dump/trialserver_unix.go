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
// one's rights.
type trialServer struct {
	source.Host
	dir   string
	as    *syscall.Credential // nil: who we are
	stop  context.CancelFunc
	ended chan struct{}
}

// starting is how long a server may take until it answers.
const starting = 5 * time.Minute

// newTrialServer gives dir to whom a server will run as.
func newTrialServer(host source.Host, dir string) (*trialServer, error) {
	// Nothing of how people reach their servers may lead the clients there.
	host.Kit.Env = append(chain.Environ(host.Kit.Env), "HOME="+dir)
	s := &trialServer{Host: host, dir: dir, ended: make(chan struct{}), stop: func() {}}
	if os.Geteuid() != 0 {
		return s, nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err1 := strconv.ParseUint(nobody.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(nobody.Gid, 10, 32)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return s, os.Chown(dir, int(uid), int(gid))
}

// command is a program of the server's. What it says goes to the file log.
func (s *trialServer) command(ctx context.Context, program string, args ...string) (*exec.Cmd, func(), error) {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = s.dir, log, log, s.Kit.Env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: s.as}
	goesWithUs(cmd.SysProcAttr)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	return cmd, func() { log.Close() }, nil
}

// run runs a program that makes the server's files.
func (s *trialServer) run(ctx context.Context, program string, args ...string) error {
	cmd, closeLog, err := s.command(ctx, program, args...)
	if err != nil {
		return err
	}
	defer closeLog()
	runtime.LockOSThread() // with which, on Linux, the program would end
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		return s.failed(ctx, program, err)
	}
	return nil
}

// start starts the server, and waits until it answers.
func (s *trialServer) start(ctx context.Context, answers func(context.Context) error, program string, args ...string) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	cmd, closeLog, err := s.command(running, program, args...)
	if err != nil {
		close(s.ended)
		return err
	}
	var failed error
	go func() {
		runtime.LockOSThread() // with which, on Linux, the program would end
		defer close(s.ended)
		defer closeLog()
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
	said, readErr := os.ReadFile(filepath.Join(s.dir, "log"))
	if readErr == nil && len(said) > last {
		said = said[len(said)-last:]
	}
	return fmt.Errorf("%s: %w: %s", name, err, cli.Safe(string(said)))
}

// End ends the server at once: its files are thrown away.
func (s *trialServer) End() {
	s.stop()
	<-s.ended
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
