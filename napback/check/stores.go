package check

import (
	"context"
	"errors"
	"fmt"
	"time"

	"napback/napback/backup/decide"
	"napback/napback/catalog"
	"napback/napback/jobs"
	"napback/napback/tools"
)

// place is a store, and the jobs that come to it in one way.
type place struct {
	tools.Store
	name string // of the store, and of a job if others come to it in another way
	jobs []jobs.Target
	dead bool // it does not answer
}

// clockDoubt is how far a clock may be off before people are told. Beyond
// decide.MaxSkew it changes what backups do.
const clockDoubt = 5 * time.Minute

// buckets checks that each store answers.
func (s *survey) buckets(ctx context.Context) {
	known := map[string]*place{}
	for _, t := range s.all {
		store := tools.Open(s.Host.Kit, t.Settings, tools.Warnings(s.Host.Log))
		if known[store.Key()] == nil {
			known[store.Key()] = &place{Store: store}
			s.stores = append(s.stores, known[store.Key()])
		}
		p := known[store.Key()]
		p.jobs = append(p.jobs, t)
	}
	ways := map[string]int{}
	for _, p := range s.stores {
		ways[p.Place()]++
	}
	for _, p := range s.stores {
		if p.name = p.Place(); ways[p.name] > 1 {
			p.name += ", as for " + p.jobs[0].Name
		}
		s.bucket(ctx, p)
		if ctx.Err() != nil {
			return
		}
		if s.Write && !p.dead {
			s.writes(ctx, p)
		}
	}
}

// bucket checks that a store answers, and when it thinks that is.
func (s *survey) bucket(ctx context.Context, p *place) {
	what := "bucket " + p.name
	// The prefix keeps the answer short: only its coming matters.
	l, err := within(ctx, s.Ready, short, func(ctx context.Context) (catalog.Listing, error) {
		l, err := p.List(ctx, p.jobs[0].Name+"-")
		return l, tools.Explain(ctx, err)
	})
	switch {
	case errors.Is(err, tools.ErrDenied) && s.Write:
		s.Result(what+": it answers; the credentials do not allow to list it", nil)
	case errors.Is(err, tools.ErrDenied):
		s.Doubt(what, "the credentials do not allow to list it: whether they allow to store shows only with --write")
	case errors.Is(err, catalog.ErrTooMuch):
		s.Doubt(what, "somebody has planted more archives than are listed")
	default:
		p.dead = err != nil
		s.Result(what, err)
	}
	if l.Time.IsZero() {
		return
	}
	off := s.Host.Now().Sub(l.Time).Round(time.Second).Abs()
	what = fmt.Sprintf("clock, %v from that of bucket %s", off, p.name)
	switch {
	case off > decide.MaxSkew:
		s.Result(what, errors.New("one of them is wrong: dates and runs will be taken from the store's"))
	case off > clockDoubt:
		s.Doubt(what, "one of them is wrong: beyond a day, dates and runs would be taken from the store's")
	default:
		s.Result(what, nil)
	}
}
