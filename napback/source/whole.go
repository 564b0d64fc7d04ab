package source

import "napback/napback/chain"

// Archived is an archive whose stream is judged.
type Archived struct {
	Source string            // as its manifest has it, without the kind
	Diff   bool              // it builds on another one
	Meta   map[string]string // of its manifest
	// Before is what Kind.Whole found in the one that it builds on; "" if that was
	// not looked at.
	Before string
}

// Teller is a Reading that has something to say in the manifest, once the stages
// have succeeded.
type Teller interface {
	Meta() map[string]string
}

// Rehearser is a Source of which a check can do more than to open it.
type Rehearser interface {
	// Rehearse returns the stages that do as much of a backup as shows cheaply that
	// there can be one. What they write is thrown away.
	Rehearse() ([]chain.Stage, error)
	// Explain is that of the Source.
	Explain(err error) error
}
