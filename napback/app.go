package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/internal/slot"
	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/config"
	"napback/napback/journal"
	"napback/napback/priority"
	"napback/napback/programs"
	"napback/napback/run"
)

const description = `Backs up the directories, databases, Subversion repositories and output of
programs that the configuration names: full and incremental, compressed,
encrypted, each into its slot of a rotation. Without a command it runs the jobs
that are due. Run it once a day from cron or a timer.

Example:
  napback                     run what is due today by ` + defaultConfig + `
  napback web                 by /etc/napback/web.conf, as with -c /etc/napback/web.conf
  napback web -t              show what would be run
  napback web status          tell whether every job has its backups
  napback web restore home/build --to /tmp/r`

// napback reads the command line and does what it asks for.
func napback(ctx context.Context, args []string, std cli.Streams) error {
	app := newApp(ctx, std)
	if done, err := cli.Complete("napback", args, std, syntax(app)); done {
		return err
	}
	args, err := arrange(args, app)
	if err == nil {
		err = app.RunContext(ctx, append([]string{"napback"}, args...))
	}
	var usage *usageError
	if errors.As(err, &usage) {
		return cli.WithHint(cli.WithCode(cli.Usage, usage.err), "napback -h lists the options")
	}
	return err
}

// usageError marks what urfave/cli finds wrong with a command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func newApp(ctx context.Context, std cli.Streams) *urfave.App {
	return &urfave.App{
		Name:        "napback",
		Usage:       "back up directories, databases and repositories to S3 on a rotating schedule",
		UsageText:   "napback [-c FILE | WORD] [-t] [-f] [-d] [--date YYYY-MM-DD]\nnapback [-c FILE | WORD] COMMAND [OPTIONS] ...\nnapback --completion bash|zsh|fish",
		Description: description,
		Reader:      std.In, Writer: std.Out, ErrWriter: std.Err,
		HideVersion:               true, // its flag is -v, ours -V
		HideHelpCommand:           true,
		UseShortOptionHandling:    true,
		DisableSliceFlagSeparator: true, // a file name may hold a comma
		ExitErrHandler:            func(*urfave.Context, error) {},
		OnUsageError:              func(_ *urfave.Context, err error, _ bool) error { return &usageError{err} },
		Flags: []urfave.Flag{
			&urfave.StringSliceFlag{Name: "config", Aliases: []string{"c"}, Usage: "read configuration `FILE`; repeatable. A WORD names " + configDir + "/WORD.conf; default: " + defaultConfig, TakesFile: true},
			&urfave.BoolFlag{Name: "test", Aliases: []string{"t"}, Usage: "print what would be run and do nothing"},
			&urfave.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "run also what is not due or was done today"},
			&urfave.BoolFlag{Name: "debug", Aliases: []string{"d"}, Usage: "say everything on stderr"},
			&urfave.StringFlag{Name: "date", Usage: "run as if today were `YYYY-MM-DD` (the schedule only)"},
			&urfave.StringFlag{Name: "progress", Value: "auto", Usage: "show on stderr how far each job is: `WHEN` is auto (on a terminal), always or never"},
			&urfave.BoolFlag{Name: "version", Aliases: []string{"V"}, Usage: "print the version"},
		},
		Commands: commands(std),
		Action:   func(c *urfave.Context) error { return runBackup(c, std) },
	}
}

// runBackup runs the jobs that are due, or shows them (-t).
func runBackup(c *urfave.Context, std cli.Streams) error {
	if c.Bool("version") {
		_, err := fmt.Fprintln(std.Out, cli.VersionLine("napback"))
		return err
	}
	show := c.Bool("test")
	if !show {
		// That nobody listens any more, as when a log's reader dies, must not
		// end a backup. Children are not affected.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	}
	e, err := newCall(c, std)
	if err != nil {
		return err
	}
	configs, err := loadFiles(c.StringSlice("config"), e.host.Name)
	if err != nil {
		return err
	}
	r := run.Run{Std: e.std, Host: e.host, Day: e.day, Debug: c.Bool("debug"), Progress: e.progress}
	r.Lower = sync.OnceValue(func() priority.Programs { return priority.Find(c.Context, e.host.Kit.Env) })
	if show {
		return r.Show(c.Context, configs)
	}
	return r.Jobs(c.Context, configs)
}

// call is one call of napback, as commands see it.
type call struct {
	std      cli.Streams // which make room for progress
	progress *cli.Progress
	log      *journal.Journal
	host     backup.Host // this machine, as backups see it
	day      decide.Day
}

func newCall(c *urfave.Context, std cli.Streams) (*call, error) {
	name, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this host: %w", err)
	}
	mode := c.String("progress")
	if mode != "auto" && mode != "always" && mode != "never" {
		return nil, cli.UsageErrorf("--progress %q: want auto, always or never", mode)
	}
	progress := cli.NewProgress(std.Err, mode)
	std.Out, std.Err = progress.Over(std.Out), progress.Over(std.Err)
	log := journal.New(std.Err, c.Bool("debug"))
	e := &call{
		std: std, progress: progress, log: log, host: backup.Host{Kit: programs.New(), Name: name, Now: time.Now, Log: log},
		day: decide.Day{Today: slot.Today(time.Now()), Dated: c.IsSet("date"), Force: c.Bool("force")},
	}
	if e.day.Dated {
		if e.day.Today, err = slot.ParseDate(c.String("date")); err != nil {
			return nil, cli.WithCode(cli.Usage, fmt.Errorf("--date: %w", err))
		}
	}
	return e, nil
}

// loadFiles reads configurations. What is wrong with any of them is reported at
// once.
func loadFiles(files []string, host string) ([]*config.Config, error) {
	if len(files) == 0 {
		if _, err := os.Stat(defaultConfig); errors.Is(err, fs.ErrNotExist) {
			return nil, cli.WithHint(cli.UsageErrorf("no configuration is given, and there is no %s", defaultConfig),
				"napback init makes it; another one is napback -c FILE, or napback WORD for %s/WORD.conf", configDir)
		}
		files = []string{defaultConfig}
	}
	var configs []*config.Config
	var errs []error
	for _, file := range files {
		cfg, err := config.Load(file, config.Env{Host: host})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		configs = append(configs, cfg)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, cli.WithCode(cli.Usage, err)
	}
	return configs, config.CheckTogether(configs)
}
