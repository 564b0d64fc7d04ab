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

// signalAll signals the stages that have not ended and all their descendants.
func (r *running) signalAll(how signal) {
	if len(r.procs) > 0 {
		_ = syscall.Kill(-r.leader(), how)
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
