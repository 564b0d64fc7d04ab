package backup

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/backup/decide"
	"napback/napback/catalog"
	"napback/napback/config"
	"napback/napback/state"
)

// NoOwner stands for archives that no owner has.
const NoOwner = "-"

// Adopt makes a job go on under the id of the owner of archives that another state has
// stored, which are its own from then on. owner is that id, NoOwner, or "" for the only
// one of whom there are archives that the state does not know. It returns the id and
// how many archives were adopted.
func (h Host) Adopt(ctx context.Context, job *config.Job, day decide.Day, owner string) (id string, n int, err error) {
	dir, err := state.Open(job.Settings.DiffDir)
	if err != nil {
		return "", 0, err
	}
	found, err := h.Survey(ctx, job, dir, day)
	if err != nil {
		return "", 0, err
	}
	if found.Contents.ListDenied {
		return "", 0, cli.WithHint(fmt.Errorf("adopt %q: the credentials do not allow to list the bucket", job.Name), "use credentials that may list, once")
	}
	id, runs, err := found.adoptable(job.Name, owner)
	if err != nil {
		return "", 0, err
	}
	if id == "" { // archives without one go on under this DiffDir's
		id = found.Self.Owner
	}
	if id == "" {
		if id, err = dir.MakeOwner(); err != nil {
			return "", 0, err
		}
	}
	record := decide.Adopt(found.Record, decide.Adoption{Owner: id, Runs: runs})
	if found.Legacy {
		_, err = found.State.TakeOver(record)
	} else {
		err = found.State.Save(record)
	}
	if err != nil {
		return "", 0, err
	}
	if err := found.State.Clean(record); err != nil {
		h.Log.Debugf("%v", err)
	}
	return id, len(runs), nil
}

// adoptable returns the archives that Adopt means by owner, and whose they are.
func (s *Survey) adoptable(job, owner string) (string, []catalog.Entry, error) {
	byOwner := map[string][]catalog.Entry{}
	for _, r := range s.Contents.Runs {
		if r.IsArchive() && !s.Record.Has(r.Name, r.Run) {
			byOwner[r.Owner] = append(byOwner[r.Owner], r)
		}
	}
	var lines []string
	for id, runs := range byOwner {
		last := slices.MaxFunc(runs, func(a, b catalog.Entry) int { return strings.Compare(a.Run, b.Run) })
		lines = append(lines, fmt.Sprintf("%s (%s of host %s, %s, last %s)", cmp.Or(id, NoOwner), cli.Plural(len(runs), "archive", "archives"), last.Host, last.Source(), last.Date()))
	}
	slices.Sort(lines)
	all := cli.Safe(strings.Join(lines, "; "))
	switch {
	case owner == NoOwner:
		owner = ""
	case owner == "" && len(byOwner) > 1:
		return "", nil, cli.WithHint(cli.Errorf(cli.NotFound, "adopt %q: whose archives? there are those of %s", job, all), "say --owner ID")
	case owner == "":
		for id := range byOwner {
			owner = id
		}
	}
	if len(byOwner[owner]) == 0 {
		err := cli.Errorf(cli.NotFound, "adopt %q: there is no archive to adopt", job)
		if len(lines) > 0 {
			err = cli.WithHint(err, "there are those of %s", all)
		}
		return "", nil, err
	}
	return owner, byOwner[owner], nil
}
