//go:build darwin || freebsd

package dump

import "syscall"

func goesWithUs(*syscall.SysProcAttr) {}
