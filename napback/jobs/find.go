package jobs

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/config"
)

// Wanted are the jobs that words mean, or all if there is none. A word with `*`, `?`
// or `[` may mean several.
func (f Finder) Wanted(ctx context.Context, configs []*config.Config, words []string) ([]Target, error) {
	if len(words) == 0 {
		return All(configs), nil
	}
	var all []Target
	for _, word := range words {
		some, err := f.find(ctx, configs, word)
		if err == nil && len(some) > 1 && !isGlob(word) {
			err = ambiguous(word, some)
		}
		if err != nil {
			return nil, err
		}
		for _, t := range some {
			if !slices.ContainsFunc(all, func(other Target) bool { return other.Name == t.Name }) {
				all = append(all, t)
			}
		}
	}
	return all, nil
}

// Whole refuses a job that was found by a part of its name only, for what nobody is
// asked about: with another configuration that part means another job.
func (t Target) Whole(word string) error {
	if !t.Loose {
		return nil
	}
	return cli.WithHint(cli.UsageErrorf("job %q: this is only a part of its name, which may mean another job tomorrow", word),
		"name all of it: %s", cli.Safe(t.Name))
}

// Find returns the one job that a word means.
func (f Finder) Find(ctx context.Context, configs []*config.Config, word string) (Target, error) {
	some, err := f.find(ctx, configs, word)
	if err == nil && len(some) > 1 {
		err = ambiguous(word, some)
	}
	if err != nil {
		return Target{}, err
	}
	return some[0], nil
}

// find returns the jobs that a word can mean, at least one.
func (f Finder) find(ctx context.Context, configs []*config.Config, word string) ([]Target, error) {
	all := All(configs)
	if strings.HasPrefix(word, "/") {
		word = path.Clean(word)
	}
	for i, means := range meanings(word) {
		var found []Target
		for _, t := range all {
			if means(t) {
				t.Loose = i >= exact
				found = append(found, t)
			}
		}
		if len(found) > 0 {
			return found, nil
		}
	}
	if found := holders(all, word); len(found) > 0 {
		return found, nil
	}
	t, err := f.findForeign(ctx, configs, all, word)
	return []Target{t}, err
}

// exact is how many of the meanings are of all of a name, or of a source.
const exact = 3

// meanings are the ways in which a word can mean a job, the most exact first. What
// an earlier one finds is not looked for with the next.
func meanings(word string) []func(Target) bool {
	ways := []func(Target) bool{
		func(t Target) bool { return t.Name == word },
		func(t Target) bool { return t.Job.Source == word || t.Job.String() == word },
		func(t Target) bool { return t.Job.Short == word },
		func(t Target) bool { return strings.HasSuffix(t.Name, "/"+word) },
	}
	if isGlob(word) {
		ways = append(ways, func(t Target) bool {
			return globs(word, t.Name) || globs(word, t.Job.Short) || globs(word, t.Job.Source) || globs(word, ending(t.Name, word))
		})
	}
	return ways
}

func isGlob(word string) bool { return strings.ContainsAny(word, "*?[") }

// globs matches as a shell does, but `*` and `?` stand for slashes, too: `host/*` is all
// of a host.
func globs(pattern, text string) bool {
	flat := func(s string) string { return strings.ReplaceAll(s, "/", "\x00") }
	ok, err := path.Match(flat(pattern), flat(text))
	return ok && err == nil
}

// ending are the last components of a name, as many as the pattern has.
func ending(name, pattern string) string {
	parts := strings.Split(name, "/")
	n := min(strings.Count(pattern, "/")+1, len(parts))
	return strings.Join(parts[len(parts)-n:], "/")
}

// holders are the jobs of the innermost source that holds a path. The path becomes
// theirs.
func holders(all []Target, word string) (found []Target) {
	if !strings.HasPrefix(word, "/") {
		return nil
	}
	for _, t := range all {
		source := t.Job.Source
		if !strings.HasPrefix(source, "/") || !strings.HasPrefix(word, strings.TrimSuffix(source, "/")+"/") {
			continue
		}
		switch {
		case len(found) > 0 && len(source) < len(found[0].Job.Source):
			continue
		case len(found) > 0 && len(source) > len(found[0].Job.Source):
			found = nil
		}
		t.Path = word
		found = append(found, t)
	}
	return found
}

// ambiguous is the error of a word that means several jobs where one is wanted.
func ambiguous(word string, found []Target) error {
	return cli.WithHint(cli.Errorf(cli.NotFound, "job %q: it can be any of %d jobs", word, len(found)),
		"name one of them: %s", namesOf(found))
}

// maxNames is how many names an error lists.
const maxNames = 20

// namesOf lists the names of jobs.
func namesOf(all []Target) string {
	var names []string
	for _, t := range all {
		if name := cli.Safe(t.Name); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if n := len(names) - maxNames; n > 0 {
		names = append(names[:maxNames], fmt.Sprintf("and %d more", n))
	}
	return strings.Join(names, ", ")
}

// findForeign looks in the configured buckets for the archives of a job that no
// configuration has any more.
func (f Finder) findForeign(ctx context.Context, configs []*config.Config, all []Target, word string) (Target, error) {
	for _, c := range configs {
		if c.Settings.Bucket == "" || strings.HasPrefix(word, "/") {
			continue
		}
		l, err := f.Listing(ctx, Target{Name: word, Settings: &c.Settings})
		if err != nil {
			return Target{}, err
		}
		if slices.Contains(catalog.Jobs(l.Entries), word) {
			f.Log.Notef("no job %q is configured, but bucket %q has its archives", word, c.Settings.Bucket)
			return Target{Name: word, Settings: &c.Settings}, nil
		}
	}
	return Target{}, cli.WithHint(cli.Errorf(cli.NotFound, "job %q: no such job", word), "the jobs are: %s", namesOf(all))
}
