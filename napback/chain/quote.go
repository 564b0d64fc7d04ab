package chain

import (
	"strings"
	"unicode/utf8"

	"napback/internal/shell"
)

// String writes the chain as one line that can be pasted into a shell.
func (c *Chain) String() string {
	stages := make([]string, len(c.Stages))
	for i, s := range c.Stages {
		stages[i] = s.String()
	}
	return strings.Join(stages, " | ")
}

// String writes the stage's command as a shell would read it.
func (s Stage) String() string { return shell.Quote(append([]string{s.Path}, s.Args...)...) }

// fits is the width of the lines of Lines, if no option is wider, with room for what
// stands before them.
const fits = 68

// Lines writes the chain as String does, but in lines that fit a terminal: each stage
// begins one, and so does an option that the line before has no room for.
func (c *Chain) Lines() string {
	const more, pipe, option = " \\\n", "  | ", "      "
	var text strings.Builder
	for i, s := range c.Stages {
		if i > 0 {
			text.WriteString(more + pipe)
		}
		width := 0
		for j, words := range s.options() {
			part := shell.Quote(words...)
			n := utf8.RuneCountInString(part)
			switch {
			case j > 0 && width+1+n > fits:
				text.WriteString(more + option)
				width = 0
			case j > 0:
				text.WriteByte(' ')
				width++
			}
			text.WriteString(part)
			width += n
		}
	}
	return text.String()
}

// options are the words of the command, each option with what may be its value.
func (s Stage) options() [][]string {
	all := [][]string{{s.Path}}
	for _, arg := range s.Args {
		last := all[len(all)-1]
		if len(last) == 1 && strings.HasPrefix(last[0], "-") && !strings.HasPrefix(arg, "-") {
			all[len(all)-1] = append(last, arg)
		} else {
			all = append(all, []string{arg})
		}
	}
	return all
}
