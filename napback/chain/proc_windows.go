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

// signalAll ends the stages: Windows knows no gentle way for processes without
// a console of their own.
func (r *running) signalAll(signal) {
	for _, p := range r.procs {
		_ = p.cmd.Process.Kill()
	}
}

func signalName(*os.ProcessState) string { return "" }
