package programs

import "napback/napback/chain"

// The hidden commands of napback, which are stages of chains.
const (
	Whole    = "whole-dump" // copies a dump, and fails unless it is whole
	Roles    = "once-roles" // makes roles of a dump once
	SQL      = "safe-sql"   // copies a dump that makes psql run nothing
	Guard    = "guard-tar"  // copies an archive that tar can extract safely
	Sealed   = "sealed"     // copies a message that is encrypted
	Confined = "confined"   // becomes a program that writes below a directory only
)

// Hidden is a stage that is napback itself.
func (k Kit) Hidden(command string, args ...string) (chain.Stage, error) {
	path, err := k.Sibling("napback")
	return k.Stage("napback", path, append([]string{command}, args...)), err
}
