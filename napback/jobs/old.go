package jobs

import (
	"context"
	"path"
	"regexp"
	"slices"
	"strings"

	"napback/internal/shell"
	"napback/napback/programs"
	"napback/napback/tools"
)

// Old are archives that s3napback, napback's predecessor, stored of a job's source.
type Old struct {
	Target
	Names []string // in the bucket, in no order that means anything
}

// Old looks into the buckets for what s3napback stored of the targets' sources, with
// one cheap listing for all targets of a store whose names begin alike. It is only for
// a note: what cannot be listed is not there.
func (f Finder) Old(ctx context.Context, targets []Target) (found []Old) {
	type place struct{ access, prefix string }
	var places []place
	at := map[place][]Target{}
	for _, t := range targets {
		if t.Job == nil {
			continue
		}
		p := place{tools.Open(f.Kit, t.Settings, nil).Access(), oldBase(t) + "-"}
		if kind, _, ok := strings.Cut(p.prefix, "/"); ok && len(targets) > 1 { // others may begin so
			p.prefix = kind + "/"
		}
		if at[p] == nil {
			places = append(places, p)
		}
		at[p] = append(at[p], t)
	}
	for _, p := range places {
		log := func(_, line string) { f.Log.Debugf("%s", line) }
		names, err := tools.Open(f.Kit, at[p][0].Settings, log).Js3treamNames(ctx, p.prefix)
		if err != nil {
			f.Log.Debugf("what s3napback stored is not known: %v", err)
			continue
		}
		for _, t := range at[p] {
			isOther := func(name string) bool { return sourceOf(name) != oldBase(t) }
			if mine := slices.DeleteFunc(slices.Clone(names), isOther); len(mine) > 0 {
				found = append(found, Old{t, mine})
			}
		}
	}
	return found
}

// oldBase is how the names of s3napback's archives begin: a path is itself, and a
// database has its kind before it.
func oldBase(t Target) string {
	if strings.HasPrefix(t.Job.Source, "/") {
		return t.Job.Source
	}
	return t.Job.Kind.ArchiveName(t.Job.Source)
}

// oldName is the form of their names: what had no increments had no type either.
var oldName = regexp.MustCompile(`^(.+)-[0-9]+(-FULL|-DIFF)?$`)

// sourceOf returns the oldBase that a name of s3napback begins with, "" if it is none.
// A path stood there as the configuration had it, be it with two slashes.
func sourceOf(name string) string {
	m := oldName.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	return path.Clean(m[1])
}

// List is the command that shows them with their dates.
func (o Old) List() string {
	return shell.Quote(append(o.tool("s3ls"), o.Settings.Bucket+":"+oldBase(o.Target)+"-")...)
}

// Read is the command that reads one of them or, of a directory, the newest with its
// increments.
func (o Old) Read() string {
	if !o.Job.Kind.Tree {
		return shell.Quote(append(o.tool("s3get"), o.Settings.Bucket+":"+o.Names[0])...) + " | gpg -d | gzip -d"
	}
	command := shell.Quote("restore-s3napback.sh", o.Settings.Bucket, oldBase(o.Target)) + " DIR"
	if flags := o.flags(); len(flags) > 0 {
		command = "S3_OPTIONS=" + shell.Quote(strings.Join(flags, " ")) + " " + command
	}
	return command
}

func (o Old) tool(name string) []string {
	return append(append([]string{name}, o.flags()...), "--js3tream")
}

func (o Old) flags() []string { return tools.Open(programs.Kit{}, o.Settings, nil).Js3treamFlags() }
