package archive

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"napback/internal/cli"
)

// Address is BUCKET:NAME or BUCKET:NAME:RUN. Run is empty in the first form.
type Address struct {
	Bucket string
	Name   string
	Run    Run
}

// String returns the address in the form that Parse reads.
func (a Address) String() string {
	if a.Run == "" {
		return a.Bucket + ":" + a.Name
	}
	return a.Bucket + ":" + a.Name + ":" + string(a.Run)
}

// maxKey is the longest key that S3 takes, in bytes.
const maxKey = 1024

// ParseAddress parses BUCKET:NAME, BUCKET:NAME:RUN and s3://BUCKET/NAME.
// Leading slashes of NAME are dropped. Errors have the code cli.Usage.
func ParseAddress(text string) (Address, error) {
	a, err := parseAddress(text)
	if err != nil {
		return Address{}, cli.WithCode(cli.Usage, fmt.Errorf("address %q: %w", text, err))
	}
	return a, nil
}

func parseAddress(text string) (Address, error) {
	bucket, rest, err := splitBucket(text)
	if err != nil {
		return Address{}, err
	}
	if rest == "" {
		return Address{}, errors.New("want BUCKET:NAME, the name is missing")
	}
	a := Address{Bucket: bucket, Name: rest}
	if i := strings.LastIndexByte(rest, ':'); i >= 0 {
		a.Name = rest[:i]
		if a.Run, err = ParseRun(rest[i+1:]); err != nil {
			return Address{}, err
		}
	}
	a.Name = strings.TrimLeft(a.Name, "/")
	return a, CheckName(a.Name)
}

// ParsePrefix parses BUCKET, BUCKET:PREFIX, s3://BUCKET and
// s3://BUCKET/PREFIX, as listings take them. PREFIX is any beginning of a
// name. Errors have the code cli.Usage.
func ParsePrefix(text string) (bucket, prefix string, err error) {
	bucket, prefix, err = splitBucket(text)
	if err == nil && strings.Contains(prefix, ":") {
		err = errors.New("a name cannot hold ':'")
	}
	if err != nil {
		return "", "", cli.WithCode(cli.Usage, fmt.Errorf("address %q: %w", text, err))
	}
	return bucket, strings.TrimLeft(prefix, "/"), nil
}

// splitBucket cuts an address behind its bucket. The rest is empty when the
// address names a bucket only.
func splitBucket(text string) (bucket, rest string, err error) {
	if after, ok := strings.CutPrefix(text, "s3://"); ok {
		bucket, rest, _ = strings.Cut(after, "/")
	} else {
		bucket, rest, _ = strings.Cut(text, ":")
	}
	switch {
	case bucket == "":
		return "", "", errors.New("want BUCKET:NAME, the bucket is missing")
	case bucket == "." || bucket == "..", strings.ContainsAny(bucket, "/\\"):
		return "", "", fmt.Errorf("%q is not a bucket name", bucket)
	}
	return bucket, rest, checkText("bucket", bucket)
}

// CheckName reports why name cannot be the name of an archive, or nil: it
// holds no ':', no leading '/', no component that is empty, "." or "..", no
// control characters, only UTF-8, and leaves room for the rest of the key.
func CheckName(name string) error {
	if name == "" {
		return errors.New("the name is empty")
	}
	if strings.ContainsRune(name, ':') {
		return errors.New("a name cannot hold ':'")
	}
	for part := range strings.SplitSeq(name, "/") {
		switch part {
		case "":
			return errors.New("a name cannot begin or end with '/' or hold '//'")
		case ".", "..":
			return fmt.Errorf("a name cannot hold the component %q", part)
		}
	}
	if n := len(ChunkKey(name, runTemplate, 0)); n > maxKey {
		return fmt.Errorf("the name is %d bytes too long", n-maxKey)
	}
	return checkText("name", name)
}

// checkText refuses what a key cannot hold or what would break a line.
func checkText(what, text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("the %s is not UTF-8", what)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("the %s holds a control character", what)
	}
	return nil
}
