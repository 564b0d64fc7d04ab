package check

import (
	"context"
	"errors"
	"fmt"

	"napback/napback/tools"
)

// writes tests that each Prefix of the jobs of a store can be written below, and what
// else the credentials allow.
func (s *survey) writes(ctx context.Context, p *place) {
	seen := map[string]bool{}
	for _, t := range p.jobs {
		below := t.Settings.Below(s.Host.Name)
		if seen[below] || ctx.Err() != nil {
			continue
		}
		seen[below] = true
		if len(t.Settings.VerifyKeys()) > 0 && t.Settings.SignKey() == "" {
			continue // which stores nothing, and archives reports
		}
		s.write(ctx, p.name, tools.Open(s.Host.Kit, t.Settings, tools.Warnings(s.Host.Log)), below)
	}
}

// write stores a small archive, reads it back and removes it.
func (s *survey) write(ctx context.Context, name string, store tools.Store, below string) {
	what := "writing to bucket " + name
	if below != "" {
		what += ", below " + below
	}
	probe, err := within(ctx, s.Ready, short, func(ctx context.Context) (*tools.Probe, error) { return store.TryPut(ctx, below) })
	if err != nil {
		s.Result(what, tools.Explain(ctx, err))
		return
	}
	var bad error
	did := "stored"
	if store.Frozen() {
		did += ", not read back (its storage class gives back nothing at once)"
	} else {
		read := tried(ctx, s.Ready, short, probe.Read)
		switch {
		case read == nil:
			did += ", read back"
		case errors.Is(read, tools.ErrDenied):
			did += ", cannot be read (good)"
		default:
			bad = fmt.Errorf("read %s back: %w", probe.Address(), tools.Explain(ctx, read))
		}
	}
	// Also after an interruption.
	removed := tried(context.WithoutCancel(ctx), s.Ready, short, probe.Remove)
	switch {
	case removed == nil:
		did += ", removed"
	case errors.Is(removed, tools.ErrDenied):
		did += ", cannot be removed (good): " + probe.Address() + " stays"
	}
	if _, directory := store.Directory(); removed == nil && !directory {
		s.Host.Log.Notef("bucket %s: who steals these credentials can delete backups, unless the bucket keeps versions; such as can only create are safer, see README, \"Credentials that cannot destroy a backup\"", name)
	}
	stays := removed != nil && !errors.Is(removed, tools.ErrDenied)
	switch {
	case bad != nil:
		s.Result(what, bad)
	case !stays:
		s.Result(what+": "+did, nil)
	}
	switch {
	case stays && ctx.Err() != nil: // who interrupts gets no findings
		s.Host.Log.Warnf("%s was not removed: remove it by hand", probe.Address())
	case stays:
		s.Doubt(what+": "+did, fmt.Sprintf("%s was not removed, remove it by hand: %v", probe.Address(), tools.Explain(ctx, removed)))
	}
}
