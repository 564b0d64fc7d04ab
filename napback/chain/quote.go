package chain

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"napback/internal/cli"
)

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

// Quote writes words so that a POSIX shell reads them back exactly and that a
// terminal can show them: what it would obey is left to printf. Only line ends
// are what they are, since $() drops them.
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
	var b strings.Builder
	b.WriteByte('\'')
	for len(w) > 0 {
		r, n := utf8.DecodeRuneInString(w)
		char := w[:n]
		w = w[n:]
		switch {
		case r == '\'':
			b.WriteString(`'\''`)
		case r == '\n' || r != utf8.RuneError && cli.Safe(char) == char || n > 1 && r == utf8.RuneError:
			b.WriteString(char)
		case r == 0: // no argument can hold it
			b.WriteByte('?')
		default:
			b.WriteString(`'"$(printf '`)
			for _, c := range []byte(char) {
				fmt.Fprintf(&b, `\%03o`, c)
			}
			b.WriteString(`')"'`)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
