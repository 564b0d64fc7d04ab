package chain

import (
	"strings"

	"napback/internal/shell"
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
func (s Stage) String() string { return shell.Quote(append([]string{s.Path}, s.Args...)...) }
