package dump

import (
	"strings"

	"napback/internal/cli"
)

// plural counts the lines of a text.
func plural(lines, what string) string {
	return cli.Plural(len(strings.FieldsFunc(lines, func(r rune) bool { return r == '\n' })), what, what+"s")
}

// names writes lines in one, the first of them if there are many.
func names(lines string) string {
	all := strings.FieldsFunc(lines, func(r rune) bool { return r == '\n' })
	const shown = 5
	if len(all) > shown {
		all = append(all[:shown:shown], "...")
	}
	return strings.Join(all, ", ")
}
