package archive

import (
	"fmt"
	"time"
)

// maxAhead is how far a run's time may be ahead of when its manifest was
// stored, and of the store's clock. Hosts may disagree by hours, and runs in
// quick succession get later times than they began at; by a day only a clock
// that was wrong is off, or somebody who wants to be the newest.
const maxAhead = 24 * time.Hour

// Now is the time by the store's clock, or the host's where that is not known.
func Now(st Store) time.Time {
	if now, ok := st.Clock(); ok {
		return now
	}
	return time.Now()
}

// Implausible tells why a run's time cannot be true, or returns nil. modified
// is when its manifest was stored; zero if it has none or that is not known.
// Such a run is never the newest, supersedes nothing and is no reason to
// delete or to refuse another.
func Implausible(run Run, modified, now time.Time) error {
	at := run.Time()
	switch {
	case at.Sub(now) > maxAhead:
		return fmt.Errorf("its time %s is in the future: the store's clock is at %s", stamp(at), stamp(now))
	case !modified.IsZero() && at.Sub(modified) > maxAhead:
		return fmt.Errorf("its time %s is later than its manifest, which was stored at %s", stamp(at), stamp(modified))
	}
	return nil
}

// now is the time by the host's clock, or by the store's if the two are more
// than a day apart: a run that a wrong clock has named would be ahead of, or
// behind, all others.
func (p *put) now() (now time.Time, corrected bool) {
	host := p.Now().UTC()
	if service, ok := p.st.Clock(); ok && host.Sub(service).Abs() > followable {
		return service.UTC(), true
	}
	return host, false
}

// followable is how far ahead of the store's clock a run may be to be followed: what
// comes after it must itself be plausible, by clocks that count seconds and by
// others of the same service.
const followable = maxAhead - time.Minute

// lastPlausible is the greatest run that has been seen and is not ahead of the
// store's clock by a day; later ones are reported. A run that is only ahead of
// its own manifest counts here: to be later than it does no harm.
func (p *put) lastPlausible() Run {
	now, ok := p.st.Clock()
	if !ok {
		now = p.Now()
	}
	end := len(p.seen)
	for end > 0 && p.seen[end-1].Time().Sub(now) > followable {
		end--
	}
	if ahead := p.seen[end:]; len(ahead) > 0 {
		p.Log.Warnf("ignored runs of %q whose time cannot be true: %d, the first %s; the store's clock is at %s", p.Name, len(ahead), ahead[0], stamp(now))
	}
	if end == 0 {
		return ""
	}
	return p.seen[end-1]
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
