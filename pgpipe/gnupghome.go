package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"napback/internal/cli"
	"napback/internal/trust"
)

// gnupgHome is the directory of the user's own GnuPG files: $GNUPGHOME, else
// the one below the account's home. The account's home comes from the passwd
// database, since cron and others run programs with HOME=/.
func gnupgHome() (string, error) {
	if dir := os.Getenv("GNUPGHOME"); dir != "" {
		return dir, nil
	}
	if runtime.GOOS == "windows" {
		dir, err := os.UserConfigDir()
		return filepath.Join(dir, "gnupg"), err
	}
	account, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("find the GnuPG keyring: %w", err)
	}
	if account.HomeDir == "" {
		return "", errors.New("find the GnuPG keyring: the account has no home directory")
	}
	return filepath.Join(account.HomeDir, ".gnupg"), nil
}

// defaultKeyring returns the path of the user's public keyring, choosing
// between pubring.kbx and pubring.gpg as gpg does: pubring.gpg if it exists,
// unless there is also a keybox that gpg 2.1 or later has marked as its own.
func defaultKeyring() (string, error) {
	home, err := gnupgHome()
	if err != nil {
		return "", err
	}
	if file := usesKeyboxd(home); file != "" {
		return "", withExportHint(fmt.Errorf("the GnuPG keyring belongs to keyboxd (%q says use-keyboxd), whose database only GnuPG reads", file))
	}
	legacy, box := filepath.Join(home, "pubring.gpg"), filepath.Join(home, "pubring.kbx")
	if !isFile(legacy) || keyboxInUse(box) {
		if _, err := os.Stat(box); errors.Is(err, fs.ErrNotExist) {
			return "", withExportHint(fmt.Errorf("no GnuPG keyring: neither pubring.kbx nor pubring.gpg is in %q", home))
		}
		return box, nil
	}
	return legacy, nil
}

func withExportHint(err error) error {
	return cli.WithHint(err, "export the recipient's key with `gpg --export KEY > recipient.pgp` and use -R recipient.pgp")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// keyboxInUse reports whether the keybox at path carries the mark that gpg
// (rather than gpgsm) has created or used it: bit 2 of the header's flags.
func keyboxInUse(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 12)
	if _, err := readFull(f, head); err != nil {
		return false
	}
	return isKeybox(head) && head[7]&2 != 0
}

// usesKeyboxd returns the configuration file that hands the keyring to
// keyboxd (GnuPG 2.4.1 and later), or nothing.
func usesKeyboxd(home string) string {
	for _, file := range []string{filepath.Join(home, "common.conf"), "/etc/gnupg/common.conf"} {
		conf, err := trust.Read("read", file, 1<<20)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(bytes.NewReader(conf))
		for lines.Scan() {
			option, _, _ := strings.Cut(strings.TrimSpace(lines.Text()), " ")
			if strings.TrimLeft(option, "-") == "use-keyboxd" {
				return file
			}
		}
	}
	return ""
}
