package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"napback/internal/cli"
)

// maxShown is how many entries that would be deleted are shown one by one.
const maxShown = 200

// checkPlace refuses, before anything is read, a restore in place that cannot be
// confirmed or would pull the ground from under the system.
func (r *restore) checkPlace(yes bool) error {
	if source, _ := isDirectory(r.point.Entry); source == "/" && len(r.paths) == 0 {
		return cli.WithHint(errors.New("restore in place: the root directory cannot be restored below a running system"),
			"name PATHs, or boot another system, mount the disk and give --to")
	}
	if !yes && !cli.IsTerminal(r.std.In) {
		return cli.WithHint(cli.UsageErrorf("--in-place asks before it writes, and there is no terminal to ask on"), "-y answers yes")
	}
	return nil
}

// confirm shows what a restore in place would delete, and asks.
func (r *restore) confirm(ctx context.Context, yes bool) error {
	for i := range r.point.Chain {
		if len(r.paths) > 0 && len(r.chosen[i]) == 0 {
			continue
		}
		if _, err := r.list(ctx, i); err != nil {
			return err
		}
	}
	gone, err := r.findDoomed()
	if err != nil {
		return fmt.Errorf("look for what a restore in place would delete: %w", err)
	}
	if i := slices.IndexFunc(gone, func(d doomed) bool { return d.mount }); i >= 0 {
		return cli.WithHint(fmt.Errorf("restore in place: it would delete %q, where a file system is mounted", gone[i].path),
			"unmount it first, or restore --to another directory, or only some PATHs")
	}
	r.showDoomed(gone)
	if yes {
		return nil
	}
	ok, err := cli.Confirm(ctx, r.std, fmt.Sprintf("Restore %s as of %s in place?", r.what(), oneLine(r.point.Date())))
	if err == nil && !ok {
		err = errors.New("restore in place: not confirmed, nothing is changed")
	}
	return err
}

func (r *restore) showDoomed(gone []doomed) {
	if len(gone) == 0 {
		fmt.Fprintln(r.std.Err, "Nothing would be deleted: all that is there now is in the backup, too.")
		return
	}
	fmt.Fprintf(r.std.Err, "The backup does not have %s, which would be deleted:\n", cli.Plural(len(gone), "entry", "entries"))
	for i, d := range gone {
		if i == maxShown {
			fmt.Fprintf(r.std.Err, "  ... and %d more\n", len(gone)-maxShown)
			break
		}
		fmt.Fprintf(r.std.Err, "  %s\n", oneLine(d.path))
	}
}
