// Package shell writes words as a POSIX shell reads them back, and reads them.
//
// Quote is for what a person sees and may paste; Word and Literal are for
// commands that are stored, whose bytes no terminal gets as they are. A
// word that needs no quotes has none but from Literal.
package shell

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"napback/internal/cli"
)

// Quote writes words so that a POSIX shell reads them back exactly and that a
// terminal can show them: what it would obey is left to printf. Only line ends
// are what they are, since $() drops them.
func Quote(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if quoted[i] = w; !plain(w) {
			quoted[i] = visible(w)
		}
	}
	return strings.Join(quoted, " ")
}

// Word quotes s if it needs to be, with all its characters as they are.
func Word(s string) string {
	if plain(s) {
		return s
	}
	return Literal(s)
}

// Literal quotes s even if it need not be, as for a pattern of case, where a
// bare word would hide what is meant.
func Literal(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// plain tells a word that no shell reads otherwise.
func plain(w string) bool {
	special := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_./:=,+@%", r)
	}
	return w != "" && !strings.ContainsFunc(w, special)
}

// visible is Literal without what a terminal obeys.
func visible(w string) string {
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
