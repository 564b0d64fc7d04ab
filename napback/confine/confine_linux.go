package confine

import (
	"fmt"
	"syscall"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// Supported returns nil if this system can confine a process, else why not.
func Supported() error {
	if abi, err := ll.LandlockGetABIVersion(); err != nil || abi < minABI {
		return ErrUnsupported
	}
	return nil
}

// Exec replaces the process by a program, which can write below dir only. args
// are with the name that the program is to have. It returns only an error.
func Exec(dir, program string, args, env []string) error {
	abi, err := ll.LandlockGetABIVersion()
	if err != nil || abi < minABI {
		return ErrUnsupported
	}
	config := landlock.V2
	if abi > minABI {
		config = landlock.V3 // also what makes files shorter
	}
	err = config.RestrictPaths(landlock.RODirs("/"), landlock.RWDirs(dir).WithRefer(), landlock.RWFiles("/dev/null"))
	if err != nil {
		return fmt.Errorf("confine to %q: %w", dir, err)
	}
	if err := syscall.Exec(program, args, env); err != nil {
		return fmt.Errorf("run %q: %w", program, err)
	}
	return nil
}
