package dump

import "syscall"

// goesWithUs has the kernel kill a process when the thread ends that has started it:
// a drill that is killed leaves no server behind.
func goesWithUs(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
