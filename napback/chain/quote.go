package chain

import "strings"

// String writes the chain as a line that can be pasted into a shell.
func (c *Chain) String() string {
	stages := make([]string, len(c.Stages))
	for i, s := range c.Stages {
		stages[i] = s.String()
	}
	return strings.Join(stages, " | ")
}

// String writes the stage's command as a shell would read it.
func (s Stage) String() string { return Quote(append([]string{s.Path}, s.Args...)...) }

// Quote writes words so that a POSIX shell reads them back exactly.
func Quote(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = quoteWord(w)
	}
	return strings.Join(quoted, " ")
}

func quoteWord(w string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,+@%", r)
	}
	if w != "" && strings.IndexFunc(w, func(r rune) bool { return !plain(r) }) < 0 {
		return w
	}
	return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
}
