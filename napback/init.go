package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/internal/shell"
	"napback/napback/config"
	"napback/napback/setup"
)

func initCommand(std cli.Streams) *urfave.Command {
	return &urfave.Command{
		Name:  "init",
		Usage: "set up the backups of this host: ask, write a configuration, check it",
		Description: "Asks for what no option says, if there is a terminal. Makes the configuration (-c FILE\n" +
			"before init; default: " + defaultConfig + "), directories, the key file, and a line for\n" +
			"cron; overwrites nothing. Then runs check and tells how to go on, and to restore.",
		Flags: []urfave.Flag{
			&urfave.StringFlag{Name: "bucket", Usage: "store in the bucket `NAME`, or, with a path, in that directory"},
			&urfave.StringFlag{Name: "endpoint", Usage: "`URL` of an S3-compatible service; none: AWS"},
			&urfave.StringFlag{Name: "region", Usage: "`NAME` of the bucket's region"},
			&urfave.StringFlag{Name: "key-file", Usage: "credentials of S3, as s3put -K reads them: `FILE`; empty: the SDK's own ways", TakesFile: true},
			&urfave.StringSliceFlag{Name: "recipient", Usage: "encrypt to `WHOM`: e-mail address or fingerprint; repeatable"},
			&urfave.StringFlag{Name: "keyring", Usage: "find recipients in `FILE` of exported keys; default: the user's own keyring", TakesFile: true},
			&urfave.StringFlag{Name: "new-key", Usage: "make a key pair, with the secret key in the new `FILE`, to be moved away from this host", TakesFile: true},
			&urfave.StringFlag{Name: "passphrase-file", Usage: "lock that key with the first line of `FILE`; default: ask, if there is a terminal", TakesFile: true},
			&urfave.BoolFlag{Name: "unencrypted", Usage: "do not encrypt"},
			&urfave.StringSliceFlag{Name: "source", Usage: "back up `WHAT`: a path, or a line as in a configuration (\"MySQL all\"); repeatable"},
			&urfave.IntFlag{Name: "diffs", Value: 6, Usage: "`N` increments after each full backup"},
			&urfave.IntFlag{Name: "fulls", Value: 4, Usage: "keep `N` full backups with their increments"},
			&urfave.StringFlag{Name: "state", Value: "/var/lib/napback", Usage: "DiffDir: `DIR`", TakesFile: true},
			&urfave.StringFlag{Name: "cron", Value: "/etc/cron.d/napback", Usage: "make `FILE` for cron, to run every night; empty: none", TakesFile: true},
			&urfave.BoolFlag{Name: "timer", Usage: "enable napback.timer of systemd instead; default where it is installed"},
		},
		HideHelpCommand: true,
		OnUsageError:    func(_ *urfave.Context, err error, _ bool) error { return &usageError{err} },
		Action:          func(c *urfave.Context) error { return initHost(c, std) },
	}
}

func initHost(c *urfave.Context, std cli.Streams) error {
	if c.NArg() > 0 {
		return cli.WithHint(cli.UsageErrorf("init takes no arguments"), "napback init -h lists the options")
	}
	e, err := newCall(c, std)
	if err != nil {
		return err
	}
	p, err := planOf(c)
	if err != nil {
		return err
	}
	if cli.IsTerminal(std.In) {
		a := setup.Asker{Std: std, Given: c.IsSet, Picture: e.picture}
		if err := a.Ask(c.Context, p); err != nil {
			return err
		}
	}
	if err := complete(p); err != nil {
		return err
	}
	if p.Program, err = os.Executable(); err != nil {
		return err
	}
	p.Kit, p.Std = e.host.Kit, std
	made, err := p.Make(c.Context, e.host.Name)
	if err != nil {
		return err
	}
	if err := e.printMade(p, made); err != nil {
		return err
	}
	cfg, err := config.Load(p.Config, config.Env{Host: e.host.Name})
	if err != nil {
		return err
	}
	if p.Timer {
		if err := setup.EnableTimer(c.Context, e.host.Kit); err != nil {
			cli.PrintError(std.Err, "napback", cli.WithHint(err, "nothing runs every night yet: systemctl enable --now %s", setup.Timer))
		}
	}
	checked := checkJobs(c, e, []*config.Config{cfg})
	if err := e.printNext(p, checked == nil || cli.ExitStatus(checked) == cli.Warnings); err != nil {
		return err
	}
	return checked
}

// planOf is what the command line says.
func planOf(c *urfave.Context) (*setup.Plan, error) {
	files := append(c.StringSlice("config"), defaultConfig)
	p := &setup.Plan{
		Config: files[0], Endpoint: c.String("endpoint"), Region: c.String("region"), KeyFile: c.String("key-file"),
		Recipients: c.StringSlice("recipient"), Keyring: c.String("keyring"), NewKey: c.String("new-key"), Plain: c.Bool("unencrypted"), PassphraseFile: c.String("passphrase-file"),
		Diffs: c.Int("diffs"), Fulls: c.Int("fulls"), DiffDir: c.String("state"), Cron: c.String("cron"),
	}
	if c.Bool("timer") || !c.IsSet("cron") && p.Config == defaultConfig && setup.HasTimer() {
		p.Timer, p.Cron = true, ""
	}
	if c.IsSet("bucket") {
		if err := p.SetTarget(c.String("bucket")); err != nil {
			return nil, err
		}
	}
	for _, word := range c.StringSlice("source") {
		p.AddSource(word)
	}
	ways := 0
	for _, given := range []bool{len(p.Recipients) > 0, p.NewKey != "", p.Plain} {
		if given {
			ways++
		}
	}
	if ways > 1 {
		return nil, cli.UsageErrorf("--recipient, --new-key and --unencrypted exclude each other")
	}
	return p, nil
}

// complete refuses a plan that lacks something, and makes its paths absolute.
func complete(p *setup.Plan) error {
	missing := ""
	switch {
	case p.Bucket == "":
		missing = "--bucket"
	case len(p.Sources) == 0:
		missing = "--source"
	case len(p.Recipients) == 0 && p.NewKey == "" && !p.Plain:
		missing = "--recipient, --new-key or --unencrypted"
	}
	if missing != "" {
		return cli.WithHint(cli.UsageErrorf("init: %s is missing, and there is no terminal to ask on", missing), "napback init -h lists the options")
	}
	if p.NewKey != "" && p.Keyring == "" {
		p.Keyring = filepath.Join(filepath.Dir(p.Config), "backup.asc")
	}
	if p.AccessKey != "" && p.KeyFile == "" {
		p.KeyFile = filepath.Join(filepath.Dir(p.Config), "s3.key")
	}
	for _, path := range []*string{&p.Config, &p.KeyFile, &p.Keyring, &p.NewKey, &p.DiffDir, &p.Cron} {
		if *path == "" {
			continue
		}
		whole, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = whole
	}
	return nil
}

// picture draws what a schedule keeps, as slotcalc does.
func (e *call) picture(ctx context.Context, diffs, fulls int) (string, error) {
	s, err := e.host.Kit.Tool("slotcalc", []string{"kept", "simple", "--diffs", strconv.Itoa(diffs), "--fulls", strconv.Itoa(fulls)})
	if err != nil {
		return "", err
	}
	out, _, err := e.host.Kit.Output(ctx, s, func(string, string) {})
	// After the table come the line of the picture, and what it means.
	_, picture, _ := strings.Cut(string(out), "\n\n")
	return picture, err
}

func (e *call) printMade(p *setup.Plan, made []setup.Made) error {
	if err := cli.Printf(e.std.Out, "Made:\n"); err != nil {
		return err
	}
	rows := [][]string{}
	for _, m := range made {
		rows = append(rows, []string{"  " + m.Path, m.What})
	}
	if err := cli.PrintTable(e.std.Out, rows); err != nil {
		return err
	}
	if p.NewKey != "" {
		if err := cli.Printf(e.std.Out, "\nWITHOUT THE SECRET KEY THERE IS NO WAY BACK. Copy %s to at least two safe\nplaces now, and remove it from this host, which does not need it.\n", cli.Safe(shell.Quote(p.NewKey))); err != nil {
			return err
		}
	}
	return cli.Printf(e.std.Out, "\n")
}

// printNext tells what to do now. good tells that the check found nothing wrong.
func (e *call) printNext(p *setup.Plan, good bool) error {
	conf := cli.Safe(shell.Quote(p.Config))
	if !good {
		return cli.Printf(e.std.Out, "\nMend what is BAD above, and look again: napback -c %s check\n", conf)
	}
	key := ""
	if !p.Plain {
		key = " --secret-key FILE"
	}
	text := fmt.Sprintf("\nThe first backup:     napback -c %[1]s\n", conf)
	if p.Cron != "" {
		text += fmt.Sprintf("From tonight, 03:15:  %s does that\n", cli.Safe(p.Cron))
	}
	if p.Timer {
		text += fmt.Sprintf("Every night:          %s does that (systemctl list-timers)\n", setup.Timer)
	}
	text += fmt.Sprintf("How it stands:        napback -c %[1]s status\nTo restore:           napback -c %[1]s restore%[2]s --to /tmp/back JOB\nTo prove it works:    napback -c %[1]s drill%[2]s\n", conf, key)
	return cli.Printf(e.std.Out, "%s", text)
}
