//go:build unix

package runas

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxFiles bounds the numbers of files that somebody before napback may have left
// open: they are the lowest that were free.
const maxFiles = 1 << 16

// Exec replaces the process by a program of the user. It returns only an error.
func Exec(name, program string, args []string) error {
	a, err := Find(name)
	if err != nil {
		return err
	}
	leaveTerminal()
	leaveKeys()
	for fd := 3; fd < maxFiles; fd++ {
		unix.CloseOnExec(fd)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := a.become(); err != nil {
		// One line: it is the last word of a stage that is called like the program.
		return fmt.Errorf("become the user %q: %w (of a service root needs CAP_SETUID, CAP_SETGID and, to end the program, CAP_KILL)", name, err)
	}
	err = syscall.Exec(program, append([]string{filepath.Base(program)}, args...), a.Environ(os.Environ()))
	return fmt.Errorf("run %q as %s: %w", program, name, err)
}

// become changes what the kernel knows the process by.
func (a Account) become() error {
	if os.Geteuid() != 0 {
		return nil // it is the user already; see Find
	}
	if err := syscall.Setgroups(a.Groups); err != nil {
		return fmt.Errorf("set its groups: %w", err)
	}
	if err := syscall.Setgid(a.GID); err != nil { // real, effective and saved, as root does it
		return fmt.Errorf("set its group: %w", err)
	}
	if err := syscall.Setuid(a.UID); err != nil {
		return fmt.Errorf("set its id: %w", err)
	}
	if a.UID != 0 && (syscall.Setuid(0) == nil || os.Getuid() != a.UID || os.Getgid() != a.GID) {
		return errors.New("the system has let root's rights stay")
	}
	return nil
}

// leaveTerminal keeps the program from a terminal that this process shares with
// others: who has it can put characters into its input. Stages of chains have none;
// this is for lines that people paste.
func leaveTerminal() {
	if _, err := syscall.Setsid(); err == nil {
		return
	}
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return // there is none
	}
	defer tty.Close()
	_ = unix.IoctlSetInt(int(tty.Fd()), unix.TIOCNOTTY, 0)
}
