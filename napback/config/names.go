package config

import (
	"errors"
	"fmt"
	"strings"

	"napback/internal/address"
	"napback/internal/cli"
)

// maxName is the longest archive name of a job, in bytes. A key of S3 holds
// 1024; the slot, the type, the run and the chunk's number need some.
const maxName = 900

// named is a job on its way to its name.
type named struct {
	job   *Job
	scope *scope
}

// resolve gives the jobs their names, and makes them unique. It returns the
// names that were made so by their Cycle.
//
// A slot holds one archive, so two jobs of one name would replace each
// other's backups. Sources that stand in several Cycles, with a schedule each,
// are common; to have their Cycle's name in theirs keeps them apart.
func (p *parser) resolve(all []*named, env Env) (renamed []string) {
	groups := map[string][]*named{}
	for _, n := range all {
		n.job.Name = n.makeName("", env)
		groups[n.job.Name] = append(groups[n.job.Name], n)
	}
	for _, n := range all {
		if n.job.Cycle == "" || n.scope.name != nil {
			continue
		}
		for _, other := range groups[n.makeName("", env)] {
			if other.job.Cycle != n.job.Cycle {
				n.job.Name = n.makeName(n.job.Cycle, env)
				renamed = append(renamed, n.job.Name)
				break
			}
		}
	}
	taken := map[string]*named{}
	for _, n := range all {
		n.job.Short = n.job.Name
		if prefix, err := expandPrefix(n.job.Settings.Prefix, env.Host); err == nil && prefix != "" {
			n.job.Short = strings.TrimPrefix(n.job.Name, prefix+"/")
		}
		p.checkJobName(n)
		first, collides := taken[n.job.Name]
		if collides {
			p.addf(n.scope.at, "%s would have the archive name %q, which %s at %v has: remove one, or give it a Name",
				n.job, n.job.Name, first.job, first.scope.at)
			continue
		}
		taken[n.job.Name] = n
	}
	p.checkBelow(all)
	return renamed
}

// checkBelow keeps the names below a directory of sources for these.
func (p *parser) checkBelow(all []*named) {
	for _, dir := range all {
		if dir.job.Kind.Members == nil {
			continue
		}
		for _, n := range all {
			inside := n.job.Kind.Name == dir.job.Kind.Members.Of.Name && strings.HasPrefix(n.job.Source, dir.job.Source+"/")
			if strings.HasPrefix(n.job.Name, dir.job.Name+"/") && !inside {
				p.addf(n.scope.at, "%s has the archive name %q, which could be that of a %s of %s at %v: give it a Name",
					n.job, n.job.Name, dir.job.Kind.Members.What, dir.job, dir.scope.at)
			}
		}
	}
}

// makeName puts a job's archive name together.
func (n *named) makeName(cycle string, env Env) string {
	var parts []string
	// A wrong prefix has been reported where it stands.
	if prefix, err := expandPrefix(n.job.Settings.Prefix, env.Host); err == nil && prefix != "" {
		parts = append(parts, prefix)
	}
	if cycle != "" {
		parts = append(parts, cycle)
	}
	if n.scope.name != nil {
		return strings.Join(append(parts, n.scope.name.words[0]), "/")
	}
	return strings.Join(append(parts, n.job.Kind.ArchiveName(n.job.Source)), "/")
}

// checkJobName reports a name that no archive can have.
func (p *parser) checkJobName(n *named) {
	err := address.CheckName(n.job.Name, maxName)
	if err == nil {
		return
	}
	at := n.scope.at
	if n.scope.name != nil {
		at = n.scope.name.at
	}
	p.add(problem{
		at:     at,
		reason: fmt.Sprintf("%s: no archive can have the name %q: %v", n.job, n.job.Name, err),
		hint:   fmt.Sprintf("give it another name: <%s PATH>, then a line Name NAME, then </%s>", n.job.Kind, n.job.Kind),
	})
}

// expandPrefix replaces %h by the host's name and %% by a percent sign. The
// slashes around a prefix are not part of it.
func expandPrefix(prefix, host string) (string, error) {
	var b strings.Builder
	for rest := prefix; rest != ""; {
		before, after, found := strings.Cut(rest, "%")
		b.WriteString(before)
		switch {
		case !found:
			rest = ""
			continue
		case strings.HasPrefix(after, "h"):
			b.WriteString(host)
		case strings.HasPrefix(after, "%"):
			b.WriteByte('%')
		default:
			return "", errors.New("want %h, the host's name, or %%, a percent sign, wherever there is a %")
		}
		rest = after[1:]
	}
	return strings.Trim(b.String(), "/"), nil
}

// CheckTogether reports what several configurations cannot both have: jobs
// that would replace each other's archives or state, and one file for the metrics. Its error has the code
// cli.Usage.
func CheckTogether(configs []*Config) error {
	var errs []error
	for i, one := range configs {
		for _, other := range configs[:i] {
			errs = append(errs, conflicts(one, other)...)
		}
	}
	return cli.WithCode(cli.Usage, errors.Join(errs...))
}

func conflicts(one, other *Config) (errs []error) {
	if one.Path == other.Path {
		return []error{fmt.Errorf("configuration %q is given twice", one.Path)}
	}
	names := map[string]Job{}
	for _, j := range other.Jobs {
		names[j.Name] = j
	}
	for _, j := range one.Jobs {
		first, taken := names[j.Name]
		a, b := j.Settings, first.Settings
		if taken && (a.DiffDir == b.DiffDir || a.Bucket == b.Bucket && a.Endpoint() == b.Endpoint()) {
			errs = append(errs, fmt.Errorf("%s:%d: %s has the archive name %q, which %s at %s:%d has: give one of them a Name or a Prefix",
				j.File, j.Line, j, j.Name, first, first.File, first.Line))
		}
	}
	if file := one.Settings.MetricsFile; file != "" && file == other.Settings.MetricsFile {
		errs = append(errs, fmt.Errorf("%s: MetricsFile %q is that of %s: each would replace what the other wrote", one.Path, file, other.Path))
	}
	return errs
}
