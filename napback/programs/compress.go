package programs

import (
	"fmt"
	"slices"
	"strings"

	"napback/internal/cli"
	"napback/internal/compress"
	"napback/napback/chain"
)

// Compressor is a way to compress on this machine.
type Compressor struct {
	Method string       // what the manifest calls it
	Stage  *chain.Stage // nil = none
}

// Compressor returns what compresses as a configuration asks for.
func (k Kit) Compressor(name string) (Compressor, error) {
	if name == compress.None {
		return Compressor{Method: compress.None}, nil
	}
	var looked []string
	for _, m := range compress.All() {
		if m.Name != name && !(name == compress.Auto && m.Common) {
			continue
		}
		for _, p := range m.Programs {
			if path, ok := k.Program(p.Name); ok {
				s := k.Stage(p.Name, path, p.Args)
				return Compressor{m.Name, &s}, nil
			}
			looked = append(looked, p.Name)
		}
	}
	return Compressor{}, fmt.Errorf("compression %s: %s is not in PATH", name, strings.Join(looked, ", "))
}

// Decompress returns the stages that undo a method, none for compress.None. what is
// the archive in messages.
func (k Kit) Decompress(method, what string) ([]chain.Stage, error) {
	if method == compress.None {
		return nil, nil
	}
	m, known := compress.Find(method)
	if !known {
		return nil, cli.Errorf(cli.Integrity, "%s: its manifest says it is compressed with %q, which is unknown", what, method)
	}
	path, ok := k.Program(m.Name)
	if !ok {
		return nil, cli.WithHint(fmt.Errorf("%s is compressed with %s, which is not in PATH", what, m.Name), "install %s", m.Name)
	}
	return []chain.Stage{k.Stage(m.Name, path, []string{"-q", "-d", "-c"})}, nil
}

// Decompresses tells whether a stage is one of Decompress.
func Decompresses(stage string) bool {
	return slices.ContainsFunc(compress.All(), func(m compress.Method) bool { return m.Name == stage })
}
