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

// reader reads a word as a value, or tells what is wanted instead.
type reader[T any] func(word string) (T, error)

// one stores a single word.
func one[T any](field func(*Settings) *T, read reader[T]) setter {
	return func(s *Settings, words []string, _ bool) error {
		value, err := read(words[0])
		if err == nil {
			*field(s) = value
		}
		return err
	}
}

// add stores words behind those that their scope already has, in place of those of
// the scopes around it.
func add(list *[]string, read reader[string], words []string, first bool) error {
	var old, more []string
	if !first {
		old = *list
	}
	for _, word := range words {
		value, err := read(word)
		if err != nil {
			return err
		}
		more = append(more, value)
	}
	*list = slices.Concat(old, more) // never into the array of the scope around
	return nil
}

// tell stores what tools are told.
func tell(d directive) setter {
	return func(s *Settings, words []string, first bool) error {
		values := s.Told[d.name]
		if err := add(&values, d.read, words, first); err != nil {
			return err
		}
		s.Told = with(s.Told, d.name, values)
		delete(s.Told, d.excludes)
		return nil
	}
}

// with returns a map in which a directive has these values. The one of the scope
// around stays.
func with[M ~map[string][]string](of M, name string, values []string) M {
	changed := M{name: values}
	for other, values := range of {
		if other != name {
			changed[other] = values
		}
	}
	return changed
}

// given reads a value that differs from none.
func given[T any](read reader[T]) reader[*T] {
	return func(word string) (*T, error) {
		value, err := read(word)
		return &value, err
	}
}

// written reads a value in the form in which tools get it.
func written[T any](read reader[T]) reader[string] {
	return func(word string) (string, error) {
		value, err := read(word)
		return fmt.Sprint(value), err
	}
}

// valid reads a word that passes a check.
func valid(check func(string) error) reader[string] {
	return func(word string) (string, error) { return word, check(word) }
}

// enum reads one of a few words, in the letter case of this list.
func enum[T ~string](values ...T) reader[T] {
	return func(word string) (T, error) {
		for _, v := range values {
			if strings.EqualFold(string(v), word) {
				return v, nil
			}
		}
		return "", fmt.Errorf("want %s", alternatives(values))
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

// boolean reads what onOff reads.
func boolean(word string) (bool, error) {
	word, err := onOff(word)
	return word == "on", err
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

// number reads a whole number from low to high.
func number(low, high int) reader[int] {
	return func(word string) (int, error) {
		n, err := strconv.Atoi(word)
		if err != nil || n < low || n > high {
			return 0, fmt.Errorf("want a whole number from %d to %d", low, high)
		}
		return n, nil
	}
}

// size reads a number of bytes from low to high.
func size(low, high int64) reader[int64] {
	return func(word string) (int64, error) {
		n, err := cli.ParseSize(word)
		switch {
		case err != nil:
			return 0, errors.New("want a number of bytes, or with a unit as in 25M, 64MiB")
		case n < low:
			return 0, fmt.Errorf("want at least %s", cli.FormatSize(low))
		case n > high:
			return 0, fmt.Errorf("want at most %s", cli.FormatSize(high))
		}
		return n, nil
	}
}

// duration reads a time span of at least low.
func duration(low time.Duration) reader[time.Duration] {
	return func(word string) (time.Duration, error) {
		d, err := time.ParseDuration(word)
		switch {
		case err != nil:
			return 0, errors.New("want a time span with its unit, as in 90s, 30m, 12h")
		case d < low:
			return 0, fmt.Errorf("want at least %v", low)
		}
		return d, nil
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
		s.Options = with(s.Options, o.Name, slices.Concat(old, words))
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
	read := valid(noBlanks)
	switch {
	case d.Values != nil:
		read = enum(d.Values...)
	case d.File:
		read = valid(absolute)
	case d.Check != nil:
		read = valid(d.Check)
	}
	return func(s *Settings, words []string, first bool) error {
		values := s.Notify[d.Name]
		err := add(&values, read, words, first)
		if err == nil {
			s.Notify = with(s.Notify, d.Name, values)
		}
		return err
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

// metricsFile takes what node_exporter's textfile collector reads: another name would
// be a monitoring that never raises an alarm.
func metricsFile(word string) error {
	if !strings.HasSuffix(word, ".prom") {
		return errors.New("want a name that ends in .prom")
	}
	return absolute(word)
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
