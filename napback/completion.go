package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"napback/internal/cli"
	"napback/napback/config"
	"napback/napback/jobs"
	"napback/napback/programs"
)

// syntax is what shells complete: what is on the command line, and what the
// configurations that it names tell. It asks no bucket, since nobody waits for
// one at a TAB; what cannot be read, or must not be obeyed, is left out quietly.
func syntax(app *urfave.App) cli.Syntax {
	s := cli.Syntax{Flags: flagsOf(app.Flags), Args: configurations}
	for _, c := range app.Commands {
		if c.Hidden {
			continue
		}
		s.Commands = append(s.Commands, cli.Command{Name: c.Name, Help: c.Usage, Syntax: cli.Syntax{
			Flags: flagsOf(c.Flags), Args: argsOf(c.ArgsUsage),
		}})
	}
	return s
}

// flagsOf takes what a flag is called and what it takes from its help. All have -h.
func flagsOf(flags []urfave.Flag) []cli.Flag {
	all := []cli.Flag{{Names: []string{"--help", "-h"}, Help: "show help"}}
	for _, flag := range flags {
		doc, ok := flag.(urfave.DocGenerationFlag)
		if visible, can := flag.(urfave.VisibleFlag); !ok || can && !visible.IsVisible() {
			continue
		}
		f := cli.Flag{Help: strings.ReplaceAll(doc.GetUsage(), "`", "")}
		for _, name := range flag.Names() {
			dashes := "--"
			if len(name) == 1 {
				dashes = "-"
			}
			f.Names = append(f.Names, dashes+name)
		}
		if doc.TakesValue() {
			f.Value = "VALUE"
			if m := regexp.MustCompile("`(.*)`").FindStringSubmatch(doc.GetUsage()); m != nil {
				f.Value = m[1]
			}
		}
		if f.Names[0] == "--at" {
			f.Values = dates
		}
		all = append(all, f)
	}
	return all
}

// argsOf tells what a command's arguments are from how its help calls them.
func argsOf(usage string) func(cli.Typed) []cli.Candidate {
	first, rest, _ := strings.Cut(usage, " ")
	if !strings.Contains(first, "JOB") {
		return nil
	}
	return func(typed cli.Typed) []cli.Candidate {
		if len(typed.Args) > 0 && !strings.Contains(first, "...") {
			if rest == "" {
				return nil
			}
			return []cli.Candidate{cli.Files} // paths in the backup look as those of the source
		}
		var all []cli.Candidate
		for _, t := range configured(typed) {
			if !slices.Contains(typed.Args, t.Name) {
				all = append(all, cli.Candidate{Word: t.Name, Help: t.Job.String()})
			}
		}
		return all
	}
}

// configurations are the words that name one.
func configurations(cli.Typed) []cli.Candidate {
	files, _ := filepath.Glob(filepath.Join(configDir, "*.conf"))
	var all []cli.Candidate
	for _, file := range files {
		all = append(all, cli.Candidate{Word: strings.TrimSuffix(filepath.Base(file), ".conf"), Help: file})
	}
	return all
}

// configured are the jobs of the configurations that the command line names, or
// else of the one that is usual.
func configured(typed cli.Typed) []jobs.Target {
	files := typed.Values["--config"]
	for _, word := range typed.Before {
		files = append(files, filepath.Join(configDir, word+".conf"))
	}
	if len(files) == 0 {
		files = []string{filepath.Join(configDir, "napback.conf")}
	}
	host, _ := os.Hostname()
	var configs []*config.Config
	for _, file := range files {
		if cfg, err := config.Load(file, config.Env{Host: host}); err == nil {
			configs = append(configs, cfg)
		}
	}
	return jobs.All(configs)
}

// mostDates is how many days are offered, the newest first.
const mostDates = 60

// dates are the days of which this host still has backups in the store, as far as
// its DiffDir knows: of the jobs that are named, or of all.
func dates(typed cli.Typed) []cli.Candidate {
	finder := jobs.Finder{Kit: programs.New()}
	made := map[string]string{}
	for _, t := range configured(typed) {
		if len(typed.Args) > 0 && !slices.Contains(typed.Args, t.Name) {
			continue
		}
		for _, run := range finder.Record(t).Runs {
			if day := run.Date.String(); !strings.Contains(made[day], run.Name) {
				made[day] = strings.TrimSpace(made[day] + " " + run.Name)
			}
		}
	}
	var all []cli.Candidate
	for day, names := range made {
		all = append(all, cli.Candidate{Word: day, Help: names})
	}
	slices.SortFunc(all, func(a, b cli.Candidate) int { return strings.Compare(b.Word, a.Word) })
	return all[:min(len(all), mostDates)]
}
