// Package slot is the arithmetic of rotation schedules: which days are due,
// which numbered slot a day's backup goes to, and whether it is a FULL or a
// DIFF. It is pure: the answer depends on the schedule and the civil date
// alone, never on a clock, on the year or on what ran before, so that every
// host and every script that asks gets the same answer.
//
// Let d be the number of civil days from 1970-01-01 to the local date. The
// due days of a schedule are its turns, numbered n. Divisions round down, so
// that dates before 1970 (a clock that lost its battery) work as well.
//
// Simple with frequency F, phase P, D DIFFs and N FULLs:
//
//	due when (d+P) mod F = 0; n = (d+P) / F
//	slot  = n mod (N*(D+1))
//	cycle = n / (D+1)
//	FULL when slot mod (D+1) = 0, else DIFF
//
// As P may be anything below F*(D+1), it chooses the day of the FULL, too (Given.FullOn). A slot is used again after exactly N*(D+1) turns.
//
// Hanoi with frequency F and K discs:
//
//	due when d mod F = 0; n = d / F
//	slot  = number of trailing zero bits of n mod 2^(K-1) + 1, 0 to K-1
//	cycle = n / 2^(K-1)
//	always FULL
//
// Slot k is used again after 2^(k+1) turns, the last one, K-1, after 2^(K-1).
//
// Hanoi with ArchiveOldest takes the disc in slot K-1, the oldest, out of the
// rotation at the end of each cycle, and puts a fresh one in its place: the
// n-th turn, if its slot is K-1, uses slot K-1 + cycle instead. Slots 0 to K-2
// rotate as without it. So the archives that are kept are those of Hanoi and,
// for ever, one more for every cycle, 2^(K-1) turns apart. (To add the cycle
// to every slot would not do: the oldest disc's slot would be the last but one
// of the next cycle, which overwrites it halfway through.) In cycles before
// 1970 the disc goes to slot number cycle, which is negative, as K-1 + cycle
// would be a slot of the rotation.
package slot
