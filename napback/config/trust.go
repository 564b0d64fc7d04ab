package config

import (
	"fmt"
	"os/exec"

	"napback/internal/trust"
)

// program checks a hook's program where PATH finds it. Hooks check once more
// when they are run.
func program(name string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return err
	}
	return trust.File(path)
}

// trusted refuses a file or directory that others can write. What is not there,
// or cannot be looked at, is for whoever uses it.
func (system) trusted(check func(string) error, path string) error {
	if err := check(path); trust.Refusal(err) != nil {
		return err
	}
	return nil
}

// checkTrust reports what a scope obeys but others can write.
func (p *parser) checkTrust(sc *scope) {
	for _, e := range sc.entries {
		if e.obeys == nil || len(e.words) == 0 {
			continue
		}
		if err := p.files.trusted(e.obeys, e.words[0]); err != nil {
			p.refuse(e.at, fmt.Sprintf("%s %q", e.name, e.words[0]), err)
		}
	}
}

// refuse reports an error about trust with its hint.
func (p *problems) refuse(at position, subject string, err error) {
	one := problem{at: at, reason: fmt.Sprintf("%s: %v", subject, err)}
	if refusal := trust.Refusal(err); refusal != nil {
		one.hint = refusal.Mend
	}
	p.add(one)
}
