// Package compress is the table of the programs that compress streams: which there
// are, how they are called, and what manifests call them. A new one is a file and a
// line in All.
package compress

import "slices"

// Auto and None are no methods, but stand where the name of one can stand.
const (
	Auto = "auto" // the best that is installed
	None = "none"
)

// Method is a way to compress.
type Method struct {
	// Name is what configurations and manifests call it. It is also the program
	// that decompresses: `NAME -d` copies stdin to stdout.
	Name string
	// Programs compress stdin to stdout, the best first. Their arguments fix the
	// level and bound memory: two threads are faster than tar and the network on
	// any machine.
	Programs []Program
	// Common tells that Auto may choose it.
	Common bool
}

// Program is a program that compresses.
type Program struct {
	Name string
	Args []string
}

// All returns the methods, in the order in which Auto looks for their programs.
func All() []Method { return []Method{zstd(), gzip(), xz()} }

// Find returns the method of a name.
func Find(name string) (Method, bool) {
	all := All()
	i := slices.IndexFunc(all, func(m Method) bool { return m.Name == name })
	if i < 0 {
		return Method{}, false
	}
	return all[i], true
}

// Names are what a configuration may ask for.
func Names() []string {
	names := []string{Auto}
	for _, m := range All() {
		names = append(names, m.Name)
	}
	return append(names, None)
}
