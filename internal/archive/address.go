package archive

import (
	"errors"
	"fmt"
	"strings"

	"napback/internal/address"
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
	return bucket, rest, address.CheckText("bucket", bucket)
}

// CheckName reports why name cannot be the name of an archive, or nil:
// address.CheckName with room for the rest of the longest key.
func CheckName(name string) error {
	return address.CheckName(name, maxKey-len(ChunkKey("", runTemplate, 0)))
}
