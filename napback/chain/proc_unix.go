//go:build unix

package chain

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

type signal = syscall.Signal

const (
	terminate = syscall.SIGTERM
	kill      = syscall.SIGKILL
)

// inGroup puts a stage into the process group of the leader, or, without one,
// makes it the leader. The whole chain is one group: its number cannot be given
// to other processes as long as one stage has not been waited for, so a signal
// never hits a stranger, and it reaches children that a stage left behind.
func inGroup(leader int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pgid: leader}
}

// inSession makes a stage the leader of a session, which has no terminal, and
// of a group in it: groups do not span sessions.
func inSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// signalAll signals the stages that have not ended and all their descendants.
func (r *running) signalAll(how signal) {
	groups := map[int]bool{}
	for i, p := range r.procs {
		// The number of a group without processes is free for others.
		if !r.status[i].Ended.IsZero() {
			continue
		}
		if p.stage.NoTerminal {
			groups[p.cmd.Process.Pid] = true
		} else {
			groups[r.leader()] = true
		}
	}
	for group := range groups {
		_ = syscall.Kill(-group, how)
	}
}

func signalName(state *os.ProcessState) string {
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return ""
	}
	if name := unix.SignalName(status.Signal()); name != "" {
		return name
	}
	return status.Signal().String()
}
