package shell

import (
	"errors"
	"strings"
)

// Split cuts text into words as a POSIX shell does, with its quotes and backslashes.
// Nothing else is special: no variables, patterns or comments.
func Split(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	var quote byte
	begun := false
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case quote == '\'' && b != quote:
			word.WriteByte(b)
		case quote != 0 && b == quote:
			quote = 0
		case b == '\\':
			if i++; i == len(text) {
				return nil, errors.New("nothing follows the last backslash")
			}
			if quote == '"' && !strings.ContainsRune("\\\"$`\n", rune(text[i])) {
				word.WriteByte(b)
			}
			if text[i] != '\n' { // else the line goes on
				begun = true
				word.WriteByte(text[i])
			}
		case quote == '"':
			word.WriteByte(b)
		case b == '\'' || b == '"':
			quote, begun = b, true
		case b == ' ' || b == '\t' || b == '\n':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteByte(b)
			begun = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}
