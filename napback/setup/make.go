package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/internal/shell"
	"napback/napback/config"
)

// Made is a file or directory that was made.
type Made struct{ Path, What string }

// maker makes things, and can take them away again.
type maker struct{ made []Made }

// Make makes all that the plan says, or nothing. It returns what it made, the
// configuration last.
func (p *Plan) Make(ctx context.Context, host string) (made []Made, err error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	m := &maker{}
	if err = p.make(ctx, m, host); err != nil {
		return nil, errors.Join(err, m.undo())
	}
	return m.made, nil
}

// check refuses a plan that would overwrite something, or make a line for cron that
// would run something else: a shell reads it, and a % in it ends the command.
func (p *Plan) check() error {
	if disk := p.OnDisk(); disk != "" {
		// A mount point that is missing must not become a directory of the root disk.
		if _, err := os.Stat(filepath.Dir(disk)); err != nil {
			return cli.WithHint(cli.UsageErrorf("store backups in %q: %q is not there, and is not made", disk, filepath.Dir(disk)), "is its disk mounted?")
		}
	}
	for _, path := range []string{p.Program, p.Config} {
		if p.Cron != "" && (shell.Quote(path) != path || strings.Contains(path, "%")) {
			return cli.WithHint(cli.UsageErrorf("%q: a line for cron cannot have this path as it is", path), "give another path, or --cron= and run it otherwise")
		}
	}
	files := []string{p.Config, p.Cron, p.NewKey}
	if p.NewKey != "" {
		files = append(files, p.Keyring)
	}
	if p.AccessKey != "" {
		files = append(files, p.KeyFile)
	}
	for _, file := range files {
		if file == "" {
			continue
		}
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return err
			}
			return cli.WithHint(cli.UsageErrorf("%q exists: nothing is overwritten, and nothing was made", file),
				"move it away, or give another path (napback init -h)")
		}
	}
	return nil
}

func (p *Plan) make(ctx context.Context, m *maker, host string) error {
	for _, d := range []struct {
		path, what string
		mode       fs.FileMode
	}{
		{filepath.Dir(p.Config), "configurations and keys", 0o755},
		{p.DiffDir, "what napback remembers of its backups (DiffDir)", 0o700},
		{p.OnDisk(), "the backups", 0o700},
	} {
		if err := m.dir(d.path, d.what, d.mode); err != nil {
			return err
		}
	}
	if p.AccessKey != "" {
		if err := m.file(p.KeyFile, "the credentials of the bucket, for root alone", 0o600, "key="+p.AccessKey+"\nsecret="+p.Secret+"\n"); err != nil {
			return err
		}
	}
	if p.NewKey != "" {
		if err := p.makeKey(ctx, m, host); err != nil {
			return err
		}
	}
	if p.Cron != "" {
		if err := m.file(p.Cron, "runs the backups every night at 03:15", 0o644, p.cronLine()); err != nil {
			return err
		}
	}
	if err := m.file(p.Config, "the configuration", 0o644, p.text()); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	_, err := config.Load(p.Config, config.Env{Host: host})
	return err
}

// makeKey has pgpipe make a key pair. The public part is all that this host needs.
func (p *Plan) makeKey(ctx context.Context, m *maker, host string) error {
	tool, err := p.Kit.Sibling("pgpipe")
	if err != nil {
		return err
	}
	address := "backup@" + host
	args := []string{"--new-key", p.NewKey, "-r", "napback of " + host + " <" + address + ">"}
	if p.PassphraseFile != "" {
		args = append(args, "--passphrase-file", p.PassphraseFile)
	}
	// It may ask on the terminal, so it is no stage of a chain.
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Stdin, cmd.Stderr = p.Std.In, p.Std.Err
	public, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("make a key pair: pgpipe: %w", err)
	}
	m.made = append(m.made, Made{p.NewKey, "the SECRET KEY, which opens the backups"})
	p.Recipients = []string{address}
	return m.file(p.Keyring, "the public key, to which backups are encrypted", 0o644, string(public))
}

// dir makes a directory where there is none.
func (m *maker) dir(path, what string, mode fs.FileMode) error {
	if path == "" {
		return nil
	}
	switch info, err := os.Stat(path); {
	case err == nil && !info.IsDir():
		return fmt.Errorf("make %s: %q is not a directory", what, path)
	case err == nil:
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make %s: %w", what, err)
	}
	if err := os.Mkdir(path, mode); err != nil {
		return fmt.Errorf("make %s: %w", what, err)
	}
	m.made = append(m.made, Made{path, what})
	return os.Chmod(path, mode) // whatever the umask
}

// file makes a file, durably, that nobody reads before it has its mode.
func (m *maker) file(path, what string, mode fs.FileMode, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make %s: %w", what, err)
	}
	m.made = append(m.made, Made{path, what})
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("make %s: %w", what, err)
	}
	return nil
}

// undo takes away what was made, newest first.
func (m *maker) undo() error {
	var left []string
	for _, made := range slices.Backward(m.made) {
		if err := os.Remove(made.Path); err != nil {
			left = append(left, made.Path)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("these were made and could not be taken away: %s", strings.Join(left, ", "))
	}
	return nil
}
