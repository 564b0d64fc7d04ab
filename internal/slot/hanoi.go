package slot

import (
	"errors"
	"math/bits"
)

// Hanoi keeps ever fewer backups the older they are, as the discs of the
// puzzle move: each disc half as often as the one before it. All are FULL.
// The usual values are DefaultHanoi's.
type Hanoi struct {
	Frequency     int  // days from one backup to the next
	Discs         int  // slots, if none are retired
	ArchiveOldest bool // retire the oldest disc of each cycle, for ever
}

// DefaultHanoi returns the schedule that holds unless told otherwise: daily,
// five discs.
func DefaultHanoi() Hanoi { return Hanoi{Frequency: 1, Discs: 5} }

// Validate implements Schedule.
func (h Hanoi) Validate() error {
	return errors.Join(
		inRange("frequency", h.Frequency, 1, maxFrequency),
		inRange("discs", h.Discs, 1, maxDiscs),
	)
}

// Warnings implements Schedule.
func (h Hanoi) Warnings() []string {
	if h.Discs == 1 && !h.ArchiveOldest {
		return []string{"discs 1: only the newest backup is kept; 2 or more keep older ones"}
	}
	return nil
}

// Slot implements Schedule.
func (h Hanoi) Slot(d Date) (Slot, bool) {
	if mod(d.Day(), int64(h.Frequency)) != 0 {
		return Slot{}, false
	}
	return h.At(d), true
}

// At implements Schedule.
func (h Hanoi) At(d Date) Slot {
	turn := div(d.Day(), int64(h.Frequency))
	cycle := div(turn, h.turns())
	position := mod(turn, h.turns()) + 1
	number := int64(bits.TrailingZeros64(uint64(position)))
	if h.ArchiveOldest && number == int64(h.Discs)-1 {
		number = h.retired(cycle)
	}
	return Slot{Number: number, Type: Full, Turn: turn, Cycle: cycle}
}

// retired is the slot of a cycle's oldest disc, which no other turn ever uses.
func (h Hanoi) retired(cycle int64) int64 {
	if cycle < 0 {
		return cycle // discs-1+cycle may be a slot of the rotation
	}
	return int64(h.Discs) - 1 + cycle
}

// Span implements Schedule.
func (h Hanoi) Span() int64 { return h.turns() * int64(h.Frequency) }

// Reach implements Schedule. The two oldest discs take turns in being the
// oldest: each is half a cycle old when the other is replaced.
func (h Hanoi) Reach() (least, most int64) {
	return h.turns() / 2 * int64(h.Frequency), h.Span() - 1
}

// turns is the number of turns in a cycle, 2^(discs-1).
func (h Hanoi) turns() int64 { return 1 << (h.Discs - 1) }
