package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
)

// selector is a parsed RECIPIENT: an e-mail address, a whole user id, or the
// hexadecimal digits of a fingerprint or key id.
type selector struct {
	text   string // as the user wrote it
	hex    string // upper case: a fingerprint, or the end of one
	email  string // lower case; of a user id, too
	userID string // the user id as a whole, exactly; "" if only the address is given
	subkey bool   // written with `!`: use exactly the key that hex names
}

// parseRecipient parses a RECIPIENT.
func parseRecipient(text string) (selector, error) {
	s := selector{text: text}
	bare, forced := strings.CutSuffix(strings.TrimSpace(text), "!")
	digits := strings.Map(func(r rune) rune {
		if r == ' ' || r == '\t' {
			return -1
		}
		return r
	}, bare)
	digits = strings.ToUpper(strings.TrimPrefix(strings.TrimPrefix(digits, "0x"), "0X"))
	if isHex(digits) && slices.Contains([]int{8, 16, 40, 64}, len(digits)) {
		s.hex, s.subkey = digits, forced
		return s, nil
	}
	s.email = address(bare)
	if forced || s.email == "" {
		return s, cli.UsageErrorf("recipient %q: want a fingerprint, a key id, an e-mail address or a whole user id, as in 'Name <me@example.org>'", text)
	}
	if open := strings.LastIndexByte(bare, '<'); open > 0 {
		s.userID = bare
	}
	return s, nil
}

// names tells whether the selector, which is no key id, names a user id.
func (s selector) names(userID string) bool {
	if s.userID != "" {
		return userID == s.userID
	}
	return address(userID) == s.email
}

func isHex(s string) bool {
	return s != "" && strings.Trim(s, "0123456789ABCDEF") == ""
}

func isAddress(s string) bool {
	at := strings.LastIndexByte(s, '@')
	return at > 0 && at < len(s)-1 && !strings.ContainsAny(s, "<> \t\r\n")
}

// lowerASCII folds only A-Z: other letters that look or fold alike make
// another address.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// address returns the e-mail address of a user id: what stands in the last
// angle brackets, or the whole if it is an address.
func address(userID string) string {
	if open := strings.LastIndexByte(userID, '<'); open >= 0 {
		inner, rest, closed := strings.Cut(userID[open+1:], ">")
		if !closed || strings.TrimSpace(rest) != "" {
			return ""
		}
		userID = inner
	}
	if !isAddress(userID) {
		return ""
	}
	return lowerASCII(userID)
}

// matches reports whether the selector names k, whatever state k is in.
func (s selector) matches(k *key) bool {
	return slices.ContainsFunc(k.copies[:min(len(k.copies), maxCopies)], func(c pgpkey.Key) bool {
		if s.hex != "" {
			return slices.ContainsFunc(c.Prints(), s.matchesPrint)
		}
		return slices.ContainsFunc(c.UserIDs(), s.names)
	})
}

// matchesPrint compares a fingerprint with the digits: key ids of version 4
// keys are the ends of their fingerprints.
func (s selector) matchesPrint(print string) bool {
	return strings.HasSuffix(print, s.hex) && (len(s.hex) < 40 || len(s.hex) == len(print))
}

// findRecipients returns the key to encrypt to for every selector, or for
// every key of the ring if there are none. Each key comes once. All that is
// wrong is in the error.
func findRecipients(ring []*key, selectors []selector, now time.Time) ([]*recipient, error) {
	var found []*recipient
	var errs []error
	add := func(r *recipient, err error) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case !slices.ContainsFunc(found, r.same):
			found = append(found, r)
		}
	}
	if len(selectors) == 0 {
		if len(ring) > maxSessionKeys {
			return nil, errTooMany("recipients", maxSessionKeys)
		}
		for _, k := range ring {
			r, err := judge(k, selector{}, now)
			if err != nil {
				err = fmt.Errorf("recipient %s: %w", k.describe(), err)
			}
			add(r, err)
		}
	}
	for _, s := range selectors {
		add(findRecipient(ring, s, now))
	}
	if len(errs) == 0 {
		return found, nil
	}
	code := cli.Failed
	for _, err := range errs {
		if cli.ExitStatus(err) == cli.NotFound {
			code = cli.NotFound
		}
	}
	return found, cli.WithCode(code, errors.Join(errs...))
}

// maxCandidates bounds the keys that one selector may name.
const maxCandidates = 100

// findRecipient returns the one usable key that s names.
func findRecipient(ring []*key, s selector, now time.Time) (*recipient, error) {
	var usable []*recipient
	var candidates, reasons []string
	for _, k := range ring {
		if !s.matches(k) {
			continue
		}
		if len(candidates) == maxCandidates {
			return nil, fmt.Errorf("recipient %q: %w", s.text, errTooMany("keys match", maxCandidates))
		}
		r, err := judge(k, s, now)
		if err != nil {
			candidates = append(candidates, fmt.Sprintf("%s: %v", k.describe(), err))
			reasons = append(reasons, fmt.Sprintf("key %s %v", k.describe(), err))
			continue
		}
		usable = append(usable, r)
		candidates = append(candidates, k.describe()+": usable")
	}
	switch {
	case len(candidates) == 0:
		return nil, cli.WithHint(cli.Errorf(cli.NotFound, "recipient %q: no such key", s.text), "%s", nearKeys(ring, s))
	case len(usable) == 0 && len(reasons) == 1:
		return nil, fmt.Errorf("recipient %q: %s", s.text, reasons[0])
	case len(usable) == 0:
		return nil, fmt.Errorf("recipient %q: none of its keys can be used: %s", s.text, strings.Join(candidates, "; "))
	case len(usable) > 1:
		return nil, cli.WithHint(
			cli.Errorf(cli.NotFound, "recipient %q: ambiguous: %s", s.text, strings.Join(candidates, "; ")),
			"name the key by its fingerprint")
	}
	usable[0].passedOver = reasons
	return usable[0], nil
}

// nearKeys tells which keys there are instead: those of the address, if only the name
// beside it is another.
func nearKeys(ring []*key, s selector) string {
	byAddress := selector{email: s.email}
	var near []string
	for _, k := range ring {
		if s.userID != "" && byAddress.matches(k) && len(near) < maxKnownKeys {
			near = append(near, k.describe())
		}
	}
	if len(near) == 0 {
		return knownKeys(ring)
	}
	return fmt.Sprintf("a user id has to match as a whole; the address %s alone names %s", cli.Safe(s.email), strings.Join(near, "; "))
}

// maxKnownKeys is how many keys an error lists when none matches.
const maxKnownKeys = 10

func knownKeys(ring []*key) string {
	if len(ring) == 0 {
		return "the keyring is empty"
	}
	var lines []string
	for _, k := range ring[:min(len(ring), maxKnownKeys)] {
		lines = append(lines, k.describe())
	}
	if more := len(ring) - maxKnownKeys; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return "the keyring holds " + strings.Join(lines, "; ")
}

// describe names a key for people: fingerprint and first user id.
func (k *key) describe() string { return k.copies[0].Describe() }
