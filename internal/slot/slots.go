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
