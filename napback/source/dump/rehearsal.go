package dump

import (
	"slices"
	"strings"

	"napback/napback/chain"
)

// mysqlRehearsal changes the arguments of a dump so that it reads no rows. It still
// connects, and asks for each table with the rights that its rows need, for views,
// routines, triggers and events: --no-data would not ask whether rows may be read.
func mysqlRehearsal(args []string) []string { return append(slices.Clone(args), "--where=FALSE") }

// postgresRehearsal changes the arguments of a dump so that it reads no rows. It still
// connects, and locks each table, which needs the right to read it. Options that
// exclude that, or that ask for more of what takes long, are left out.
func postgresRehearsal(args []string) []string {
	var kept []string
	for i := 0; i < len(args); i++ {
		name, _, hasValue := strings.Cut(args[i], "=")
		switch {
		case name == "-a", name == "-b", begins(name, "--data-only", "--blobs", "--large-objects", "--statistics-only", "--no-schema"):
		case begins(name, "--include-foreign-data"):
			if !hasValue {
				i++
			}
		default:
			kept = append(kept, args[i])
		}
	}
	return append(kept, "--schema-only")
}

// begins tells whether name is one of these options, or its beginning, which their
// program takes for the whole.
func begins(name string, options ...string) bool {
	return len(name) > len("--da") && slices.ContainsFunc(options, func(o string) bool { return strings.HasPrefix(o, name) })
}

// Rehearse makes a source.Rehearser of a database.
func (d *dumped) Rehearse() ([]chain.Stage, error) {
	dump := d.dump
	dump.Args = d.rehearsal(dump.Args)
	return []chain.Stage{dump, d.whole}, nil
}

// Rehearse makes a source.Rehearser of a repository. To open it has asked for its youngest
// revision.
func (r *repository) Rehearse() ([]chain.Stage, error) {
	info, err := stageOf(r.kit, svnadmin("info", string(r.path)))
	return []chain.Stage{info}, err
}
