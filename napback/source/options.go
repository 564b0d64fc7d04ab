package source

import (
	"errors"
	"strings"
)

// Options are what a configuration sets for sources, by directive: words that
// Form, Clean and Check have let through. A Switch is "on" or "off".
type Options map[string][]string

// On tells whether a Switch is on.
func (o Options) On(name string) bool { return len(o[name]) > 0 && o[name][0] == "on" }

// Form is what the words of an option are.
type Form int

const (
	// Word is one word, not empty.
	Word Form = iota
	// Switch is on or off, in one of the usual spellings.
	Switch
	// File is the absolute path of a file. It is obeyed, so that nobody but the
	// user and root may be able to write it.
	File
	// Arguments are one or more words for a program, of which the first is an
	// option: a word before the options would be one more thing to back up.
	Arguments
	// Program is a program with its arguments. What is said of File holds for it.
	Program
)

// Option is a directive for sources of a kind. It may stand in the block of one,
// and, unless it is Own, in a Cycle or at the top level for all that are there.
type Option struct {
	Name string
	Form Form
	// Repeat allows it more than once in a scope: each adds words.
	Repeat bool
	// Own keeps it to the block of one source.
	Own bool
	// Adds lets the words of outer scopes stay; else those of the innermost one
	// take their place.
	Adds bool
	// Clean writes a word in its one form. nil: as it is.
	Clean func(word string) string
	// Check refuses a word. nil: all are right.
	Check func(word string) error
}

// RunAs is the option of the user as whom the programs of a source run.
func RunAs() Option {
	return Option{Name: "RunAs", Check: func(word string) error {
		if strings.ContainsAny(word, ":/ \t\n") || strings.HasPrefix(word, "-") {
			return errors.New("want the name of a user")
		}
		return nil
	}}
}

// RunAs is the user as whom programs of the source run, "" for who runs napback.
func (o Options) RunAs() string {
	if words := o[RunAs().Name]; len(words) > 0 {
		return words[0]
	}
	return ""
}
