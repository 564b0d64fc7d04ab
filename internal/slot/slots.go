package slot

// Rotates implements Schedule.
func (s Simple) Rotates(number int64) bool { return number >= 0 && number < s.slots() }

// Rotating implements Schedule.
func (s Simple) Rotating() int64 { return s.slots() }

// Rotates implements Schedule. A retired disc is in a slot that no later turn
// uses.
func (h Hanoi) Rotates(number int64) bool { return number >= 0 && number < h.Rotating() }

// Rotating implements Schedule.
func (h Hanoi) Rotating() int64 {
	if h.ArchiveOldest {
		return int64(h.Discs) - 1
	}
	return int64(h.Discs)
}

// KeepsForEver implements Schedule.
func (s Simple) KeepsForEver(int64) bool { return false }

// KeepsForEver implements Schedule. With another frequency or number of discs
// the discs were numbered otherwise, so that any number may be a retired one's.
func (h Hanoi) KeepsForEver(number int64) bool { return h.ArchiveOldest && !h.Rotates(number) }
