package setup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"napback/napback/programs"
)

// Timer is systemd's unit that runs the backups every night.
const Timer = "napback.timer"

// HasTimer tells that systemd runs this host, and has the unit.
func HasTimer() bool {
	if _, err := os.Stat("/run/systemd/system"); err != nil {
		return false
	}
	for _, dir := range []string{"/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"} {
		if _, err := os.Stat(filepath.Join(dir, Timer)); err == nil {
			return true
		}
	}
	return false
}

// EnableTimer has systemd run the backups every night from now on.
func EnableTimer(ctx context.Context, kit programs.Kit) error {
	path, ok := kit.Program("systemctl")
	if !ok {
		return errors.New("systemctl is not in PATH")
	}
	if _, _, err := kit.Output(ctx, kit.Stage("systemctl", path, []string{"enable", "--now", Timer}), func(string, string) {}); err != nil {
		return fmt.Errorf("enable %s: %w", Timer, err)
	}
	return nil
}
