package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"napback/internal/address"
	"napback/internal/cli"
	"napback/napback/notify"
	"napback/napback/source"
)

// setter stores the words of a directive in s. first tells that it is the
// first of its name in its scope.
type setter func(s *Settings, words []string, first bool) error

// text stores a single word that passes the checks.
func text(field func(*Settings) *string, checks ...func(string) error) setter {
	return func(s *Settings, words []string, _ bool) error {
		for _, check := range checks {
			if err := check(words[0]); err != nil {
				return err
			}
		}
		*field(s) = words[0]
		return nil
	}
}

// enum stores one of a few words, in the letter case of this list.
func enum[T ~string](field func(*Settings) *T, values ...T) setter {
	return func(s *Settings, words []string, _ bool) error {
		for _, v := range values {
			if strings.EqualFold(string(v), words[0]) {
				*field(s) = v
				return nil
			}
		}
		return fmt.Errorf("want %s", alternatives(values))
	}
}

// alternatives writes a list as "a, b or c".
func alternatives[T ~string](values []T) string {
	var b strings.Builder
	for i, v := range values {
		switch {
		case i == 0:
		case i == len(values)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(v))
	}
	return b.String()
}

// boolean stores what onOff reads.
func boolean(field func(*Settings) *bool) setter {
	return func(s *Settings, words []string, _ bool) error {
		word, err := onOff(words[0])
		if err == nil {
			*field(s) = word == "on"
		}
		return err
	}
}

// onOff reads 1/0, on/off, yes/no or true/false.
func onOff(word string) (string, error) {
	switch strings.ToLower(word) {
	case "1", "on", "yes", "true":
		return "on", nil
	case "0", "off", "no", "false":
		return "off", nil
	}
	return "", errors.New("want on or off (or yes, no, true, false, 1, 0)")
}

// number stores a whole number from low to high.
func number(field func(*Settings) *int, low, high int) setter {
	return func(s *Settings, words []string, _ bool) error {
		n, err := strconv.Atoi(words[0])
		if err != nil || n < low || n > high {
			return fmt.Errorf("want a whole number from %d to %d", low, high)
		}
		*field(s) = n
		return nil
	}
}

// size stores a number of bytes from low to high.
func size(field func(*Settings) *int64, low, high int64) setter {
	return func(s *Settings, words []string, _ bool) error {
		n, err := cli.ParseSize(words[0])
		switch {
		case err != nil:
			return errors.New("want a number of bytes, or with a unit as in 25M, 64MiB")
		case n < low:
			return fmt.Errorf("want at least %s", cli.FormatSize(low))
		case n > high:
			return fmt.Errorf("want at most %s", cli.FormatSize(high))
		}
		*field(s) = n
		return nil
	}
}

// duration stores a time span of at least low.
func duration(field func(*Settings) *time.Duration, low time.Duration) setter {
	return func(s *Settings, words []string, _ bool) error {
		d, err := time.ParseDuration(words[0])
		switch {
		case err != nil:
			return errors.New("want a time span with its unit, as in 90s, 30m, 12h")
		case d < low:
			return fmt.Errorf("want at least %v", low)
		}
		*field(s) = d
		return nil
	}
}

// list stores words behind those that its scope already has, in place of those of
// the scopes around it.
func list(field func(*Settings) *[]string, checks ...func(string) error) setter {
	return func(s *Settings, words []string, first bool) error {
		for _, word := range words {
			for _, check := range checks {
				if err := check(word); err != nil {
					return err
				}
			}
		}
		old := *field(s)
		if first {
			old = nil
		}
		*field(s) = slices.Concat(old, words) // never into the array of the scope around
		return nil
	}
}

// option stores what a kind of source has declared.
func option(o source.Option) setter {
	return func(s *Settings, words []string, first bool) error {
		words, err := optionWords(o, words)
		if err != nil {
			return err
		}
		old := s.Options[o.Name]
		if first && !o.Adds {
			old = nil
		}
		all := source.Options{o.Name: slices.Concat(old, words)} // never into the map of the scope around
		for name, words := range s.Options {
			if name != o.Name {
				all[name] = words
			}
		}
		s.Options = all
		return nil
	}
}

// optionWords checks words as an option wants them.
func optionWords(o source.Option, words []string) (clean []string, err error) {
	if o.Form == source.Arguments && !strings.HasPrefix(words[0], "-") {
		return nil, errors.New("want options, which begin with -")
	}
	for i, word := range words {
		if o.Clean != nil {
			word = o.Clean(word)
		}
		switch {
		case o.Form == source.Switch:
			word, err = onOff(word)
		case o.Form == source.File:
			err = absolute(word)
		case o.Form != source.Program || i == 0:
			err = notEmpty(word)
		}
		if err == nil && o.Check != nil {
			err = o.Check(word)
		}
		if err != nil {
			return nil, err
		}
		clean = append(clean, word)
	}
	return clean, nil
}

// command stores a program and its arguments.
func command(field func(*Settings) *[]string) setter {
	return func(s *Settings, words []string, _ bool) error {
		if err := notEmpty(words[0]); err != nil {
			return err
		}
		*field(s) = slices.Clone(words)
		return nil
	}
}

// channelValue stores a value of a channel's directive.
func channelValue(d notify.Directive) setter {
	var value string
	field := func(*Settings) *string { return &value }
	set := text(field, noBlanks)
	switch {
	case d.Values != nil:
		set = enum(field, d.Values...)
	case d.File:
		set = text(field, absolute)
	case d.Check != nil:
		set = text(field, d.Check)
	}
	return func(s *Settings, words []string, first bool) error {
		if err := set(s, words, first); err != nil {
			return err
		}
		values := []string{value}
		if !first {
			values = slices.Concat(s.Notify[d.Name], values)
		}
		s.Notify = s.Notify.With(d.Name, values...)
		return nil
	}
}

func notEmpty(word string) error {
	if word == "" {
		return errors.New("want a value")
	}
	return nil
}

// noBlanks is for identifiers that a service defines.
func noBlanks(word string) error {
	if word == "" || strings.ContainsAny(word, " \t") {
		return errors.New("want one word without blanks")
	}
	return nil
}

func absolute(word string) error {
	if !filepath.IsAbs(word) {
		return errors.New("want an absolute path")
	}
	return nil
}

// bucket takes what any service does; each refuses more by itself. Two dots in a
// row are a slip: no service has taken them for years.
func bucket(word string) error {
	if !address.IsBucket(word) || strings.Contains(word, "..") {
		return errors.New("want a bucket's name: letters, digits, dots and hyphens")
	}
	return nil
}

// endpoint takes the addresses of section "Endpoint" of the manual.
func endpoint(word string) error {
	if word == "" {
		return notEmpty(word)
	}
	_, err := address.ParseEndpoint(word)
	var bad *address.EndpointError
	switch {
	case !errors.As(err, &bad):
		return err
	case bad.Secret:
		return errors.New("credentials do not belong here: use S3KeyFile or Profile")
	case bad.Want != "":
		return fmt.Errorf("%w: %s", err, bad.Want)
	}
	return err
}

// prefix checks all of an archive name's beginning but the host's name.
func prefix(word string) error {
	name, err := expandPrefix(word, "host")
	if err != nil || name == "" {
		return err
	}
	return address.CheckName(name, maxName)
}
