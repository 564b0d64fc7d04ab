package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
)

// Group are the archives of a job's name that one owner stored of one source, or,
// of archives that name no owner, that one host stored.
type Group struct {
	Owner  string
	Source string
	Host   string    // of the newest
	Count  int       // of archives
	Bytes  int64     // of all
	First  time.Time // when the oldest was committed
	Last   string    // date of the newest
	key    groupKey
	all    []Entry // oldest first
}

// Archives are those of the group, oldest first.
func (g Group) Archives() []Entry { return g.all }

// groupKey is what the archives of a group have in common. The host counts only
// where there is no owner.
type groupKey struct{ owner, source, host string }

func (g Group) String() string {
	who := "no owner"
	if g.Owner != "" {
		who = "owner " + g.Owner
	}
	return cli.Safe(fmt.Sprintf("%s (host %s, %s, since %s, last %s)", who, g.Host, g.Source, g.First.UTC().Format(time.DateOnly), g.Last))
}

// Wanted says whose archives of a job's name are asked for.
type Wanted struct {
	// Owner and Host, if given, are what the user says.
	Owner, Host string
	// Own is the owner of this machine's DiffDir, "" if that is not known, and
	// Source what the configuration backs up under this name.
	Own, Source string
	// Knows tells which runs this machine's state lists, whoever stored them;
	// may be nil.
	Knows func(name, run string) bool
	// Strict tells that nobody else's will do where the own owner is known, nor
	// those of another source.
	Strict bool
}

// Means tells whether the user may mean a group.
func (w Wanted) Means(g Group) bool {
	return (w.Owner == "" || g.Owner == w.Owner) && (w.Host == "" || g.Host == w.Host)
}

// Archives are those of one job that are meant, oldest first.
type Archives struct {
	Job string
	Group
	All []Entry
	// Others have archives of this name as well.
	Others []Group
	// Unreadable are runs that may be archives of the job, but whose
	// manifests cannot be read.
	Unreadable []Entry
	// Doubtful are runs that count as not there: their time cannot be true, or
	// they are not signed as they have to be.
	Doubtful []Entry
}

// OfJob returns the archives of a job. Those of the configured source go first,
// and of these the own owner's, or else the only owner's. Which of several others
// is meant is not guessed: the error, of the code cli.NotFound, lists them.
func OfJob(entries []Entry, job string, w Wanted) (Archives, error) {
	a := Archives{Job: job}
	for _, e := range entries {
		switch {
		case e.IsArchive() || !IsNameOf(e.Name, job):
		case e.State == Unreadable:
			a.Unreadable = append(a.Unreadable, e)
		case e.State != Incomplete:
			a.Doubtful = append(a.Doubtful, e)
		}
	}
	slices.SortFunc(a.Unreadable, order)
	slices.SortFunc(a.Doubtful, order)
	groups := w.groups(entries, job)
	chosen, err := w.choose(job, groups)
	if err != nil {
		return a, err
	}
	for _, g := range groups {
		if chosen == nil || g.key != chosen.key {
			a.Others = append(a.Others, g)
		}
	}
	if chosen != nil {
		a.Group, a.All = *chosen, chosen.all
	}
	return a, nil
}

// Groups returns all archives of a job's name, by who has stored them, the group
// with the newest archive last.
func Groups(entries []Entry, job string) []Group { return Wanted{}.groups(entries, job) }

func (w Wanted) groups(entries []Entry, job string) []Group {
	byGroup := map[groupKey][]Entry{}
	for _, e := range entries {
		if e.IsArchive() && e.Job() == job {
			byGroup[w.key(e)] = append(byGroup[w.key(e)], e)
		}
	}
	join(byGroup)
	var groups []Group
	for key, all := range byGroup {
		slices.SortFunc(all, order)
		groups = append(groups, describe(key, all))
	}
	slices.SortFunc(groups, func(x, y Group) int { return order(x.all[x.Count-1], y.all[y.Count-1]) })
	return groups
}

// key is the group that an archive belongs to. What the state lists is the own
// owner's.
func (w Wanted) key(e Entry) groupKey {
	switch {
	case w.Own != "" && w.Knows != nil && w.Knows(e.Name, e.Run):
		return groupKey{owner: w.Own, source: w.Source}
	case e.Owner == "":
		return groupKey{source: e.Source(), host: e.Host}
	}
	return groupKey{owner: e.Owner, source: e.Source()}
}

// join gives archives without an owner, which an earlier version has stored, to
// the owners that have the same host and source.
func join(byGroup map[groupKey][]Entry) {
	for key, all := range byGroup {
		if key.owner != "" {
			continue
		}
		joined := false
		for other, theirs := range byGroup {
			same := func(e Entry) bool { return e.Host == key.host && e.Source() == key.source }
			if other.owner != "" && slices.ContainsFunc(theirs, same) {
				byGroup[other] = append(theirs, all...)
				joined = true
			}
		}
		if joined {
			delete(byGroup, key)
		}
	}
}

// describe sums up the archives of a group, which are sorted.
func describe(key groupKey, all []Entry) Group {
	g := Group{key: key, all: all, Owner: key.owner, Source: key.source, Count: len(all), First: all[0].Committed}
	for _, e := range all {
		g.Bytes += e.Bytes
		if g.Last < e.Date() {
			g.Last = e.Date()
		}
	}
	g.Host = all[len(all)-1].Host
	return g
}

// choose picks the group that is meant; nil if there is none.
func (w Wanted) choose(job string, groups []Group) (*Group, error) {
	left := slices.DeleteFunc(slices.Clone(groups), func(g Group) bool { return !w.Means(g) })
	if len(left) == 0 && len(groups) > 0 {
		return nil, cli.WithHint(cli.Errorf(cli.NotFound, "job %q: %s has stored no archive of it", job, w.who()), "there are those of %s", listOf(groups))
	}
	strict := w.Strict && w.Own != "" && w.Owner == "" && w.Host == ""
	for _, better := range []func(Group) bool{
		func(g Group) bool { return g.Source == w.Source },
		func(g Group) bool { return w.Own != "" && g.Owner == w.Own },
	} {
		some := slices.DeleteFunc(slices.Clone(left), func(g Group) bool { return !better(g) })
		if len(some) > 0 || strict {
			left = some
		}
	}
	switch len(left) {
	case 0:
		return nil, nil
	case 1:
		return &left[0], nil
	}
	return nil, cli.WithHint(cli.Errorf(cli.NotFound, "job %q: which owner's archives? there are those of %s", job, listOf(left)),
		"say --owner ID (or --host NAME where there is no owner); of several sources, configure the one that is meant")
}

func (w Wanted) who() string {
	var all []string
	if w.Owner != "" {
		all = append(all, fmt.Sprintf("owner %q", w.Owner))
	}
	if w.Host != "" {
		all = append(all, fmt.Sprintf("host %q", w.Host))
	}
	return strings.Join(all, " on ")
}

func listOf(groups []Group) string {
	var all []string
	for _, g := range groups {
		all = append(all, g.String())
	}
	return strings.Join(all, "; ")
}
