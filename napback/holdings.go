package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
)

// committed tells that a run is an archive. One whose manifest exists but cannot
// be read is.
func committed(r catalog.Entry) bool { return r.State != catalog.Incomplete }

// holdings is what the bucket holds of a job.
type holdings struct {
	// blind tells that the credentials do not allow to look.
	blind bool
	runs  []catalog.Entry
}

// find returns a committed run.
func (h *holdings) find(name, run string) (catalog.Entry, bool) {
	i := slices.IndexFunc(h.runs, func(r catalog.Entry) bool { return r.Name == name && r.Run == run && committed(r) })
	if i < 0 {
		return catalog.Entry{}, false
	}
	return h.runs[i], true
}

// look lists what the bucket holds of a job. An error means that the bucket
// did not answer.
func (t tools) look(ctx context.Context, job *config.Job, log func(stage, line string)) (*holdings, error) {
	path, err := t.sibling("s3ls")
	if err != nil {
		return nil, err
	}
	args := append(storeFlags(&job.Settings), "--json", "-r", job.Settings.Bucket+":"+job.Name+"-")
	out, status, err := t.output(ctx, t.storeStage("s3ls", path, args), log)
	var failed *chain.Error
	if errors.As(err, &failed) && len(status) == 1 && strings.Contains(failed.Cause.LastLine(), "access denied") {
		return &holdings{blind: true}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look into bucket %q: %w", job.Settings.Bucket, err)
	}
	return readHoldings(out, job.Name)
}

// readHoldings reads the output of s3ls --json -r. A prefix matches the names of
// other jobs too (home-2 begins as home does); these are left out.
func readHoldings(output []byte, job string) (*holdings, error) {
	runs, err := catalog.Read(bytes.NewReader(output))
	if err != nil {
		return nil, fmt.Errorf("read what s3ls says: %w", err)
	}
	runs = slices.DeleteFunc(runs, func(r catalog.Entry) bool {
		_, _, ours := slotOf(r.Name, job)
		return !ours
	})
	return &holdings{runs: runs}, nil
}
