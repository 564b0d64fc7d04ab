package chain

import (
	"os"

	"golang.org/x/sys/unix"
)

// enlarge lets a pipe hold more than 64 KiB, so that two stages on two
// processors wait for each other less often. It is refused where the user's
// allowance for pipes is used up; the pipe then works as it is.
func enlarge(pipe *os.File) {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = conn.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 1<<20) })
}
