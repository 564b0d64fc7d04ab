package config

import (
	"fmt"
	"os/exec"

	"napback/internal/trust"
	"napback/napback/notify"
)

// obeyed returns what is checked of the settings that name something which
// napback obeys, or which others could use against who runs it. Options of sources
// say it in their Form.
func obeyed() map[string]func(path string) error {
	checks := map[string]func(string) error{
		"DiffDir":            trust.Dir,
		"GpgKeyring":         trust.File,
		"LogFile":            trust.Log,
		"RunAfter":           program,
		"RunBefore":          program,
		"RunOnFailure":       program,
		"S3KeyFile":          trust.File,
		"SignKey":            trust.File,
		"SignPassphraseFile": trust.File,
		"TempDir":            trust.Temp,
		"VerifyKey":          trust.File,
	}
	for _, kind := range notify.Kinds() {
		for _, d := range kind.Directives {
			if d.File {
				checks[d.Name] = trust.File
			}
		}
	}
	return checks
}

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
		check := e.obeys
		if check == nil {
			check = obeyed()[e.name]
		}
		if check == nil || len(e.words) == 0 {
			continue
		}
		if err := p.files.trusted(check, e.words[0]); err != nil {
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
