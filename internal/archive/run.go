package archive

import (
	"crypto/rand"
	"fmt"
	"regexp"
	"time"
)

// Run identifies one attempt to store an archive under a name:
// 20261120T031502Z-k3f9, the UTC time it began and four random characters.
// Runs sort by time as strings.
type Run string

const (
	runTime     = "20060102T150405Z"
	runTemplate = Run("20060102T150405Z-aaaa")
	runAlphabet = "0123456789abcdefghijklmnopqrstuv" // 32 of them, so that no character is likelier
)

var runPattern = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[0-9a-z]{4}$`)

// ParseRun checks that text is a run.
func ParseRun(text string) (Run, error) {
	if !runPattern.MatchString(text) {
		return "", fmt.Errorf("%q is not a run: want the form %s", text, runTemplate)
	}
	if _, err := time.Parse(runTime, text[:len(runTime)]); err != nil {
		return "", fmt.Errorf("%q is not a run: no such time", text)
	}
	return Run(text), nil
}

// Time is when the run began, UTC, in seconds.
func (r Run) Time() time.Time {
	t, _ := time.Parse(runTime, string(r)[:min(len(r), len(runTime))])
	return t
}

// slack is how far behind the last run the clock may be without a word: runs
// in quick succession get later seconds than they began in, and hosts differ.
const slack = time.Minute

// NewRun returns a run that begins now and is greater than last, which may be
// empty: it gets the second after last if need be. late is true when that is
// because the clock has gone back.
func NewRun(now time.Time, last Run) (run Run, late bool) {
	at := now.UTC().Truncate(time.Second)
	if last != "" && !at.After(last.Time()) {
		late = at.Before(last.Time().Add(-slack))
		at = last.Time().Add(time.Second)
	}
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	for i, b := range random {
		random[i] = runAlphabet[int(b)%len(runAlphabet)]
	}
	return Run(at.Format(runTime) + "-" + string(random[:])), late
}

// The names of the objects of a run that are not chunks.
const (
	sumsObject     = "SHA256SUMS"
	manifestObject = "manifest"
	// signatureObject is a detached signature of the manifest, stored before it.
	signatureObject = "manifest.sig"
	chunkDigits     = 13
)

// runPrefix is what the keys of a run's objects begin with.
func runPrefix(name string, run Run) string { return name + ":" + string(run) + ":" }

// ChunkKey is the key of chunk number n.
func ChunkKey(name string, run Run, n int64) string {
	return runPrefix(name, run) + chunkNumber(n)
}

// chunksPrefix is what the keys of a run's chunks, and no others, begin with:
// chunk numbers are far from using their first digit.
func chunksPrefix(name string, run Run) string { return runPrefix(name, run) + "0" }

func chunkNumber(n int64) string { return fmt.Sprintf("%0*d", chunkDigits, n) }

func sumsKey(name string, run Run) string     { return runPrefix(name, run) + sumsObject }
func manifestKey(name string, run Run) string { return runPrefix(name, run) + manifestObject }
