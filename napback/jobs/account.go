package jobs

import (
	"napback/napback/state"
	"napback/napback/tools"
)

// Account is what DiffDir tells of a configured job's runs, empty if there is none or
// if it cannot be used.
func (f Finder) Account(t Target) state.Account {
	dir, err := state.Open(t.Settings.DiffDir)
	if err != nil {
		return state.Account{}
	}
	a, err := dir.Job(tools.StateKey(t.Job, f.Kit.Env)).Account()
	if err != nil {
		return state.Account{}
	}
	return a
}
