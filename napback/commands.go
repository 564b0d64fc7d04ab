package main

import (
	"strings"
	"time"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/unpack"
)

// commands are napback's sub-commands: all that is done with backups after they
// have been made.
func commands(std cli.Streams) []*urfave.Command {
	all := []*urfave.Command{restoreCommand(std), listCommand(std), statusCommand(std), verifyCommand(std), checkCommand(std),
		drillCommand(std), adoptCommand(std), pruneCommand(std), initCommand(std), schedulesCommand(std)}
	for _, cmd := range all {
		which := "[-c FILE | WORD]"
		if cmd.Name == "init" { // whose file is not there yet
			which = "[-c FILE]"
		}
		cmd.UsageText = strings.TrimSpace("napback " + which + " " + cmd.Name + " [OPTIONS] " + cmd.ArgsUsage)
	}
	return append(all, filters(std)...)
}

// action is what a sub-command does, given the configurations.
type action func(c *urfave.Context, e *call, configs []*config.Config) error

// command makes a sub-command. Its errors are printed as those of all tools.
func command(std cli.Streams, do action, cmd *urfave.Command) *urfave.Command {
	cmd.HideHelpCommand = true
	cmd.UseShortOptionHandling = true
	cmd.OnUsageError = func(_ *urfave.Context, err error, _ bool) error { return &usageError{err} }
	cmd.Action = func(c *urfave.Context) error {
		if err := checkGlobal(c, cmd); err != nil {
			return err
		}
		e, err := newCall(c, std)
		if err != nil {
			return err
		}
		configs, err := loadFiles(c.StringSlice("config"), e.host.Name)
		if err != nil {
			return err
		}
		if c.Bool("accept-unsigned") {
			acceptUnsigned(configs)
		}
		return do(c, e, configs)
	}
	return cmd
}

// checkGlobal refuses options that mean something for backups only. Who gives -t to
// a command expects that nothing is done.
func checkGlobal(c *urfave.Context, cmd *urfave.Command) error {
	switch pretends := takesValue(cmd.Flags); {
	case c.Bool("test"):
		err := cli.UsageErrorf("-t is for backups, not for %s", cmd.Name)
		if _, ok := pretends["pretend"]; ok {
			return cli.WithHint(err, "-p shows what %s would do, and does nothing", cmd.Name)
		}
		return err
	case c.Bool("force"):
		return cli.UsageErrorf("-f is for backups, not for %s", cmd.Name)
	}
	return nil
}

// The flags of commands that open archives.
func keyFlags() []urfave.Flag {
	return []urfave.Flag{
		&urfave.StringFlag{Name: "secret-key", Aliases: []string{"k"}, Usage: "decrypt with the secret key in `FILE` (exported); default: gpg", TakesFile: true},
		&urfave.StringFlag{Name: "passphrase-file", Usage: "take that key's passphrase from the first line of `FILE`; default: ask", TakesFile: true},
	}
}

// unsignedFlag is for archives from before their host signed them.
func unsignedFlag() urfave.Flag {
	return &urfave.BoolFlag{Name: "accept-unsigned", Usage: "with VerifyKey: take also archives that nobody has signed"}
}

func acceptUnsigned(configs []*config.Config) {
	for _, c := range configs {
		c.Settings.AcceptUnsigned = true
		for i := range c.Jobs {
			c.Jobs[i].Settings.AcceptUnsigned = true
		}
	}
}

func acceptFlag() urfave.Flag {
	return &urfave.BoolFlag{Name: "accept-unencrypted", Usage: "take also an archive that is not encrypted, although the configuration encrypts"}
}

func atFlag() urfave.Flag {
	return &urfave.StringFlag{Name: "at", Usage: "as of `WHEN`: a date (its last backup), or a time; default: the newest"}
}

// Whose archives of a job's name are meant.
func ownerFlag() urfave.Flag {
	return &urfave.StringFlag{Name: "owner", Usage: "use the archives of the owner `ID`; default: DiffDir's, or else the only one's"}
}

func hostFlag() urfave.Flag {
	return &urfave.StringFlag{Name: "host", Usage: "use the archives of the owner whose newest one is host `NAME`'s"}
}

func jsonFlag() urfave.Flag {
	return &urfave.BoolFlag{Name: "json", Usage: "print one JSON object a line"}
}

// keyOf reads keyFlags.
func keyOf(c *urfave.Context) (*unpack.Key, error) {
	file, passphrase := c.String("secret-key"), c.String("passphrase-file")
	if file == "" && passphrase != "" {
		return nil, cli.UsageErrorf("--passphrase-file is for --secret-key FILE; gpg asks by itself")
	}
	return unpack.NewKey(file, passphrase), nil
}

// momentOf reads atFlag, which does not go together with another one.
func momentOf(c *urfave.Context, other string) (catalog.Moment, error) {
	if c.Bool(other) && c.IsSet("at") {
		return catalog.Moment{}, cli.UsageErrorf("--%s and --at exclude each other", other)
	}
	return catalog.ParseMoment(c.String("at"), time.Local)
}

// choiceOf reads ownerFlag and hostFlag.
func choiceOf(c *urfave.Context) catalog.Wanted {
	return catalog.Wanted{Owner: c.String("owner"), Host: c.String("host")}
}

// finder finds jobs and their archives.
func (e *call) finder() jobs.Finder { return jobs.Finder{Kit: e.host.Kit, Log: e.log} }

// wanted are the jobs that the command line names, or all.
func (e *call) wanted(c *urfave.Context, configs []*config.Config) ([]jobs.Target, error) {
	return e.finder().Wanted(c.Context, configs, c.Args().Slice())
}
