package runas

import "golang.org/x/sys/unix"

// leaveKeys gives up the kernel's keyring of the session: who has it has root's keys in
// it. Where the kernel has none, or lets nobody near them, there is nothing to leave.
func leaveKeys() { _, _ = unix.KeyctlJoinSessionKeyring("") }
