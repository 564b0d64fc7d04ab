package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/tools"
)

// holdings is what the bucket holds of a job.
type holdings struct {
	// blind tells that the credentials do not allow to look.
	blind bool
	// time is the store's clock, zero if it is not known.
	time time.Time
	runs []catalog.Entry
	// counted says of the runs whose objects have been counted why they are
	// not whole, "" if they are.
	counted map[string]string // by Address
}

// usable tells why a run in the bucket does not count as an archive, "" if it
// does. One whose manifest these credentials may not read does.
func (h *holdings) usable(r catalog.Entry) string {
	switch {
	case r.State == catalog.Incomplete:
		return "is not in the bucket"
	case r.State == catalog.Unreadable && !r.Denied:
		return "has a manifest that cannot be read: " + firstLine(r.Error)
	case r.State == catalog.Unreadable:
	case !r.IsArchive():
		return fmt.Sprintf("does not count, it is %s: %s", r.State, firstLine(r.Error))
	}
	if why := h.counted[r.Address()]; why != "" {
		return "is not whole: " + why
	}
	return ""
}

// there returns a run that counts as an archive, or why it does not. name may be
// "" where only the run is known.
func (h *holdings) there(name, run string) (catalog.Entry, string) {
	i := slices.IndexFunc(h.runs, func(r catalog.Entry) bool { return r.Run == run && (name == "" || r.Name == name) })
	if i < 0 {
		return catalog.Entry{}, "is not in the bucket"
	}
	return h.runs[i], h.usable(h.runs[i])
}

// look lists what the bucket holds of a job. An error means that the bucket
// did not answer.
func look(kit tools.Kit, ctx context.Context, job *config.Job, log func(stage, line string)) (*holdings, error) {
	args := append(storeFlags(&job.Settings), "--json", "-r", "--clock", job.Settings.Bucket+":"+job.Name+"-")
	l, status, err := listingOf(kit, ctx, args, log)
	var failed *chain.Error
	if errors.As(err, &failed) && len(status) == 1 && strings.Contains(failed.Cause.LastLine(), "access denied") {
		return &holdings{blind: true, time: l.Time}, nil // the clock, if it was told
	}
	flooded := errors.As(err, &failed) && len(status) == 1 && status[0].Code == cli.Integrity
	if flooded || errors.Is(err, catalog.ErrTooMuch) {
		// Whoever has planted all that must not keep us from storing a backup.
		log("s3ls", "somebody has planted more archives than are listed: the backup goes by its own state, and nothing is removed")
		return &holdings{blind: true, time: l.Time}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look into bucket %q: %w", job.Settings.Bucket, err)
	}
	h := newHoldings(l, job.Name)
	if h.unsigned() > 0 {
		log("s3ls", fmt.Sprintf("runs that are not signed by a wanted key, and do not count: %d", h.unsigned()))
	}
	return h, nil
}

// unsigned counts the runs that no wanted key has signed.
func (h *holdings) unsigned() int {
	n := 0
	for _, r := range h.runs {
		if r.State == catalog.Unsigned {
			n++
		}
	}
	return n
}

// newHoldings takes a listing. A prefix matches the names of other jobs too
// (home-2 begins as home does); these are left out.
func newHoldings(l catalog.Listing, job string) *holdings {
	runs := slices.DeleteFunc(l.Entries, func(r catalog.Entry) bool {
		_, _, ours := slotOf(r.Name, job)
		return !ours
	})
	return &holdings{time: l.Time, runs: runs}
}

// maxCounted bounds how many runs one call counts, so that their names fit on a
// command line.
const maxCounted = 200

// count counts the objects of runs, those that are not counted yet, by listing.
// It tells whether it has counted any.
func count(kit tools.Kit, ctx context.Context, set *config.Settings, h *holdings, runs []catalog.Entry, log func(stage, line string)) (bool, error) {
	if h.counted == nil {
		h.counted = map[string]string{}
	}
	var addresses []string
	for _, r := range runs {
		if _, known := h.counted[r.Address()]; !known && !slices.Contains(addresses, r.Address()) {
			addresses = append(addresses, r.Address())
		}
	}
	for some := range slices.Chunk(addresses, maxCounted) {
		if err := countSome(kit, ctx, set, h, some, log); err != nil {
			return true, err
		}
	}
	return len(addresses) > 0, nil
}

func countSome(kit tools.Kit, ctx context.Context, set *config.Settings, h *holdings, addresses []string, log func(stage, line string)) error {
	args := append(append(storeFlags(set), "--json", "--whole"), addresses...)
	l, status, err := listingOf(kit, ctx, args, log)
	var failed *chain.Error
	if errors.As(err, &failed) && len(status) == 1 && (status[0].Code == cli.Integrity || status[0].Code == cli.NotFound) {
		err = nil // its lines tell which
	}
	if err != nil {
		return fmt.Errorf("count the objects of archives in bucket %q: %w", set.Bucket, err)
	}
	for _, address := range addresses {
		h.counted[address] = "it is not there"
	}
	for _, r := range l.Entries {
		switch why := r.Error; {
		case r.Whole != nil && *r.Whole:
			h.counted[r.Address()] = ""
		case why != "":
			h.counted[r.Address()] = firstLine(why)
		default:
			h.counted[r.Address()] = "objects are missing"
		}
	}
	return nil
}

// listingOf lists what s3ls says with these arguments.
func listingOf(kit tools.Kit, ctx context.Context, args []string, log func(stage, line string)) (l catalog.Listing, status []chain.Status, err error) {
	path, err := kit.Sibling("s3ls")
	if err != nil {
		return l, nil, err
	}
	status, err = kit.Reading(ctx, kit.StoreStage("s3ls", path, args), log, func(r io.Reader) (err error) {
		l, err = catalog.Read(r)
		return err
	})
	return l, status, err
}
