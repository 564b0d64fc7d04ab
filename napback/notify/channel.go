package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// Channel is a way to tell people how a run goes, or one job of it.
type Channel interface {
	// Start tells that it begins. It is not called for a run of which
	// nothing can be started.
	Start(ctx context.Context) error
	// Finish tells how it has ended.
	Finish(ctx context.Context, r Report) error
}

// Kind is a kind of channel.
type Kind struct {
	Name       string // as warnings name it: the mail
	Directives []Directive
	// Check tells what is wrong with settings that are right one by one, and
	// what is worth a note; nil = nothing. It looks at nothing outside of them.
	Check func(Settings) (note string, err error)
	// Secrets returns what of the settings must not be logged; nil = nothing.
	Secrets func(Settings) []string
	// Open returns the channel, or nil if the settings do not ask for it.
	// redact masks secrets in what is sent.
	Open func(s Settings, redact func(string) string) (Channel, error)
}

// Kinds is the table of all kinds, in the order in which they are used. A new
// channel is a file that has such a function, and its line here.
func Kinds() []Kind {
	return []Kind{
		pingKind(),
		mailKind(),
	}
}

// Directive is a directive of the configuration that a kind of channel has.
// Unless a field says more, it takes one word without blanks.
type Directive struct {
	Name string
	// Top: it stands at the top level and is about the whole run. Others may
	// also stand in a block, where they are about each job.
	Top    bool
	Repeat bool     // may be given more than once
	Values []string // the only ones that it takes
	File   bool     // names a file that nobody else may have written
	// Check tells what is wanted instead of a wrong value.
	Check func(value string) error
}

// Settings are the values that directives of channels have, by their names.
type Settings map[string][]string

// One returns the value of a directive that has one, or "".
func (s Settings) One(name string) string {
	if values := s[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// With returns settings in which a directive has these values. s stays as it
// is.
func (s Settings) With(name string, values ...string) Settings {
	changed := Settings{name: values}
	for other, old := range s {
		if other != name {
			changed[other] = old
		}
	}
	return changed
}

// Secrets returns what of the settings must not be logged.
func Secrets(s Settings) []string {
	var secrets []string
	for _, kind := range Kinds() {
		if kind.Secrets != nil {
			secrets = append(secrets, kind.Secrets(s)...)
		}
	}
	return secrets
}

// Opened is a channel that can be used, and the name of its kind.
type Opened struct {
	Channel
	Name string
}

// Open returns the channels that settings ask for, but for those that are set as
// in outer: a job's that the run uses anyway. What could not be opened is an
// error, beside the others.
func Open(s, outer Settings, redact func(string) string) ([]Opened, error) {
	var all []Opened
	var errs []error
	for _, kind := range Kinds() {
		if !slices.ContainsFunc(kind.Directives, func(d Directive) bool { return !slices.Equal(s[d.Name], outer[d.Name]) }) {
			continue
		}
		switch c, err := kind.Open(s, redact); {
		case err != nil:
			errs = append(errs, fmt.Errorf("%s: %w", kind.Name, err))
		case c != nil:
			all = append(all, Opened{c, kind.Name})
		}
	}
	return all, errors.Join(errs...)
}
