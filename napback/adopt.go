package main

import (
	"fmt"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/backup"
	"napback/napback/backup/decide"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/run"
	"napback/napback/state"
)

func adoptCommand(std cli.Streams) *urfave.Command {
	return command(std, adoptJob, &urfave.Command{
		Name:      "adopt",
		Usage:     "go on with archives that another state has stored",
		ArgsUsage: "JOB",
		Description: "The job goes on under the owner's id, and from now on its archives are retired as its\n" +
			"own. The next backup is a FULL. For a host that was renamed or set up anew; never\n" +
			"while the other still stores under this name.",
		Flags: []urfave.Flag{
			&urfave.StringFlag{Name: "owner", Usage: "adopt the archives of the owner `ID`, - for those without an owner; default: the only one that there is"},
		},
	})
}

// noOwner stands for archives that no owner has.
const noOwner = "-"

func adoptJob(c *urfave.Context, e *call, configs []*config.Config) error {
	if c.NArg() != 1 {
		return cli.UsageErrorf("adopt which job? name one")
	}
	t, err := e.finder().Find(c.Context, configs, c.Args().First())
	if err != nil {
		return err
	}
	if t.Job == nil {
		return cli.Errorf(cli.NotFound, "job %q is not configured: it has no state to adopt for", t.Name)
	}
	release, err := run.Lock(configs)
	if err != nil {
		return err
	}
	defer release()
	dir, err := state.Open(t.Settings.DiffDir)
	if err != nil {
		return err
	}
	found, err := e.machine().Survey(c.Context, t.Job, dir, e.day)
	if err != nil {
		return err
	}
	if found.Contents.ListDenied {
		return cli.WithHint(fmt.Errorf("adopt %q: the credentials do not allow to list the bucket", t.Name), "use credentials that may list, once")
	}
	owner, runs, err := toAdopt(found, t.Name, c.String("owner"), c.IsSet("owner"))
	if err != nil {
		return err
	}
	if owner == "" { // archives without one go on under this DiffDir's
		owner = found.Self.Owner
	}
	if owner == "" {
		if owner, err = dir.MakeOwner(); err != nil {
			return err
		}
	}
	record := decide.Adopt(found.Record, decide.Adoption{Owner: owner, Runs: runs})
	if found.Legacy {
		_, err = found.State.TakeOver(record)
	} else {
		err = found.State.Save(record)
	}
	if err != nil {
		return err
	}
	if err := found.State.Clean(record); err != nil {
		e.log.Debugf("%v", err)
	}
	return cli.Printf(e.std.Out, "adopted %s; %s goes on as owner %s, with a FULL\n", cli.Plural(len(runs), "archive", "archives"), cli.Safe(t.Name), owner)
}

// toAdopt returns the archives that are meant: those of an owner, or, if none is
// named, of the only one of whom there are archives that the state does not know.
func toAdopt(s *backup.Survey, job, owner string, named bool) (string, []catalog.Entry, error) {
	byOwner := map[string][]catalog.Entry{}
	for _, r := range s.Contents.Runs {
		if r.IsArchive() && !s.Record.Has(r.Name, r.Run) {
			byOwner[r.Owner] = append(byOwner[r.Owner], r)
		}
	}
	var lines []string
	for id, runs := range byOwner {
		last := runs[0]
		for _, r := range runs {
			if r.Run > last.Run {
				last = r
			}
		}
		if id == "" {
			id = noOwner
		}
		lines = append(lines, fmt.Sprintf("%s (%s of host %s, %s, last %s)", id, cli.Plural(len(runs), "archive", "archives"), last.Host, last.Source(), last.Date()))
	}
	slices.Sort(lines)
	if owner == noOwner {
		owner = ""
	}
	switch {
	case !named && len(byOwner) == 1:
		for id := range byOwner {
			owner = id
		}
	case !named && len(byOwner) > 1:
		return "", nil, cli.WithHint(cli.Errorf(cli.NotFound, "adopt %q: whose archives? there are those of %s", job, cli.Safe(strings.Join(lines, "; "))), "say --owner ID")
	}
	if len(byOwner[owner]) == 0 {
		err := cli.Errorf(cli.NotFound, "adopt %q: there is no archive to adopt", job)
		if len(lines) > 0 {
			err = cli.WithHint(err, "there are those of %s", cli.Safe(strings.Join(lines, "; ")))
		}
		return "", nil, err
	}
	return owner, byOwner[owner], nil
}
