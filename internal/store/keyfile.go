package store

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"napback/internal/trust"
)

// maxKeyFile is the size of the largest key file that is read; a session
// token has up to a few kilobytes.
const maxKeyFile = 64 << 10

// keyFile provides the credentials of a -K file. It reads the file whenever
// it is asked, so that keys which another program renews are picked up once
// the old ones have expired.
type keyFile string

// Retrieve implements aws.CredentialsProvider.
func (name keyFile) Retrieve(context.Context) (aws.Credentials, error) {
	return readKeyFile(string(name))
}

// readKeyFile reads a key file and refuses one that others can use.
func readKeyFile(name string) (aws.Credentials, error) {
	text, err := trust.ReadPrivate("key file", name, maxKeyFile)
	if err != nil {
		return aws.Credentials{}, err
	}
	keys, err := parseKeyFile(text)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("key file %q: %w", name, err)
	}
	return keys, nil
}

// parseKeyFile reads the lines key=, secret= and token=. Empty lines and
// lines that begin with # are skipped, and blanks around the name and the
// value. An error names the line and never quotes a value.
func parseKeyFile(text []byte) (aws.Credentials, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // an editor's byte order mark
	keys := aws.Credentials{Source: "key file"}
	fields := map[string]*string{"key": &keys.AccessKeyID, "secret": &keys.SecretAccessKey, "token": &keys.SessionToken}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			return aws.Credentials{}, fmt.Errorf("line %d: want key=, secret= or token=", i+1)
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		field := fields[name]
		switch {
		case field == nil && len(name) <= 20 && isWord(name):
			return aws.Credentials{}, fmt.Errorf("line %d: unknown name %q, want key=, secret= or token=", i+1, name)
		case field == nil: // the name may be a secret with a = in it
			return aws.Credentials{}, fmt.Errorf("line %d: want key=, secret= or token=", i+1)
		case value == "":
			return aws.Credentials{}, fmt.Errorf("line %d: %s= has no value", i+1, name)
		case strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
			return aws.Credentials{}, fmt.Errorf("line %d: the value of %s= holds a character that no key has", i+1, name)
		case *field != "":
			return aws.Credentials{}, fmt.Errorf("line %d: %s= is there twice", i+1, name)
		}
		*field = value
	}
	if keys.AccessKeyID == "" {
		return aws.Credentials{}, fmt.Errorf("no line key=")
	}
	if keys.SecretAccessKey == "" {
		return aws.Credentials{}, fmt.Errorf("no line secret=")
	}
	return keys, nil
}

// isWord tells a mistyped name from a piece of a secret.
func isWord(s string) bool { return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_-") == "" }
