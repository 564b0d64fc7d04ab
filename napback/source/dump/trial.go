package dump

import (
	"slices"
	"strings"

	"napback/napback/chain"
)

// mysqlTrial changes the arguments of a dump so that it reads no rows. It still
// connects, and asks for each table with the rights that its rows need, for views,
// routines, triggers and events: --no-data would not ask whether rows may be read.
func mysqlTrial(args []string) []string { return append(slices.Clone(args), "--where=FALSE") }

// postgresTrial changes the arguments of a dump so that it reads no rows. It still
// connects, and locks each table, which needs the right to read it.
func postgresTrial(args []string) []string {
	all := slices.DeleteFunc(slices.Clone(args), func(word string) bool {
		return word == "-a" || len(word) > len("--da") && strings.HasPrefix("--data-only", word) // which excludes the other
	})
	return append(all, "--schema-only")
}

// Trial makes a source.Trier of a database.
func (d *dumped) Trial() ([]chain.Stage, error) {
	dump := d.dump
	dump.Args = d.trial(dump.Args)
	return []chain.Stage{dump, d.whole}, nil
}

// Trial makes a source.Trier of a repository. To open it has asked for its youngest
// revision.
func (r *repository) Trial() ([]chain.Stage, error) {
	info, err := stageOf(r.kit, svnadmin("info", string(r.path)))
	return []chain.Stage{info}, err
}
