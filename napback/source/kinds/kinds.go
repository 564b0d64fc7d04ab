// Package kinds is the table of all kinds of sources. To add one is to write it
// in a file of its own and to name it here.
package kinds

import (
	"slices"

	"napback/napback/source"
	"napback/napback/source/command"
	"napback/napback/source/dump"
	"napback/napback/source/tar"
)

// All returns the kinds, in the order of the manual.
func All() []source.Kind {
	return []source.Kind{
		tar.Directory(),
		dump.MySQLKind(),
		dump.PostgreSQLKind(),
		dump.SubversionKind(),
		dump.SubversionDirKind(),
		command.Command(),
	}
}

// Of returns the kind of a name. One that nobody knows, as in the manifest of a
// later version, has only its name: its archives are streams that can be written.
func Of(name string) source.Kind {
	all := All()
	if i := slices.IndexFunc(all, func(k source.Kind) bool { return k.Name == name }); i >= 0 {
		return all[i]
	}
	return source.Kind{Name: name}
}
