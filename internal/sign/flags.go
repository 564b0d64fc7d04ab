package sign

import (
	"napback/internal/cli"
)

// VerifyFlags are the flags with which a tool reads signed manifests.
type VerifyFlags struct {
	VerifyKey      []string `name:"verify-key" placeholder:"FILE" sep:"none" help:"Only runs that a key in FILE (exported public keys) has signed exist; repeatable."`
	AcceptUnsigned bool     `help:"With --verify-key: take also runs that nobody has signed, with a warning. Those that are signed wrongly never exist."`
}

// Verifier reads the keys, or returns nil if signatures are not asked for.
// Errors have the code cli.Usage: nothing has been started.
func (o VerifyFlags) Verifier() (*Verifier, error) {
	switch {
	case len(o.VerifyKey) > 0:
		v, err := OpenVerifier(o.VerifyKey...)
		return v, cli.WithCode(cli.Usage, err)
	case o.AcceptUnsigned:
		return nil, cli.UsageErrorf("--accept-unsigned goes with --verify-key: without it signatures are not looked at")
	}
	return nil, nil
}
