package chain

import (
	"os"
	"syscall"
)

type signal int

const (
	terminate signal = iota
	kill
)

func inGroup(int) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func inSession() *syscall.SysProcAttr {
	const detached = 0x8 // DETACHED_PROCESS
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP | detached}
}

// signalAll ends the stages: Windows knows no gentle way for processes without
// a console of their own.
func (r *running) signalAll(signal) {
	for _, p := range r.procs {
		_ = p.cmd.Process.Kill()
	}
}

func signalName(*os.ProcessState) string { return "" }
