package notify

import (
	"context"
	"errors"
	"maps"
	"slices"
)

// Channel is a way to tell people how a run goes, or one job of it.
type Channel interface {
	Name() string // as warnings have it: the mail
	// Start tells that it begins. It is not called for a run of which
	// nothing can be started.
	Start(ctx context.Context) error
	// Finish tells how it has ended.
	Finish(ctx context.Context, r Report) error
}

// Kind is a kind of channel.
type Kind struct {
	Directives []Directive
	// Check tells what is wrong with settings that are right one by one, and
	// what is worth a note; nil = nothing. It looks at nothing outside of them.
	Check func(Settings) (note string, err error)
	// Open returns the channel, or nil if the settings do not ask for it.
	// redact masks secrets in what is sent.
	Open func(s Settings, redact func(string) string) (Channel, error)
	// Try returns what tries the channel, if the settings ask for it. nil: it
	// cannot be tried.
	Try func(Settings) []Try
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
	Name   string
	Top    bool                     // stands at the top level only: it is about the whole run, never about a job
	Repeat bool                     // may be given more than once
	Secret bool                     // is a URL that must not be logged
	Values []string                 // the only ones that it takes
	File   bool                     // names a file that nobody else may have written
	Check  func(value string) error // tells what is wanted instead of a wrong value
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

// With returns settings in which a directive has these values. s stays.
func (s Settings) With(name string, values ...string) Settings {
	changed := Settings{}
	maps.Copy(changed, s)
	changed[name] = values
	return changed
}

// Secrets returns what of the settings must not be logged.
func Secrets(s Settings) []string {
	var secrets []string
	for _, kind := range Kinds() {
		for _, d := range kind.Directives {
			if d.Secret {
				secrets = append(secrets, PingSecrets(s.One(d.Name))...)
			}
		}
	}
	return secrets
}

// Open returns the channels that settings ask for, but for those that are set as
// in outer: a job's that the run uses anyway. What could not be opened is an
// error, beside the others.
func Open(s, outer Settings, redact func(string) string) (all []Channel, err error) {
	for _, kind := range Kinds() {
		if !slices.ContainsFunc(kind.Directives, func(d Directive) bool { return !slices.Equal(s[d.Name], outer[d.Name]) }) {
			continue
		}
		c, failed := kind.Open(s, redact)
		if failed == nil && c != nil {
			all = append(all, c)
		}
		err = errors.Join(err, failed)
	}
	return all, err
}
