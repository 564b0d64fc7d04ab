package config

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"napback/internal/cli"
)

// maxProblems is how many errors are told of one configuration. A file of
// another kind would have one on every line.
const maxProblems = 100

// problem is one thing that is wrong.
type problem struct {
	at     position
	reason string
	hint   string
}

// problems collects what is wrong with a configuration.
type problems struct{ list []problem }

func (p *problems) addf(at position, format string, args ...any) {
	p.add(problem{at: at, reason: fmt.Sprintf(format, args...)})
}

// add ignores what has been said already, as when a file is included twice.
func (p *problems) add(one problem) {
	same := func(other problem) bool {
		return other.reason == one.reason && other.at.file == one.at.file && other.at.line == one.at.line
	}
	if len(p.list) <= maxProblems && !slices.ContainsFunc(p.list, same) {
		p.list = append(p.list, one)
	}
}

// err joins the problems in the order of files and lines.
func (p *problems) err() error {
	slices.SortStableFunc(p.list, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.at.order, b.at.order), cmp.Compare(a.at.line, b.at.line))
	})
	var all []error
	for i, one := range p.list {
		if i == maxProblems {
			all = append(all, fmt.Errorf("%v: too many errors, the others are not shown", one.at))
			break
		}
		err := fmt.Errorf("%v: %s", one.at, one.reason)
		if one.hint != "" {
			err = cli.WithHint(err, "%s", one.hint)
		}
		all = append(all, err)
	}
	return cli.WithCode(cli.Usage, errors.Join(all...))
}
