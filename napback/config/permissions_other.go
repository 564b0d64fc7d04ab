//go:build !unix

package config

import "io/fs"

// doubtful says who else than the user can change a file, which only Unix
// tells in a way that is worth a note.
func doubtful(fs.FileInfo) string { return "" }
