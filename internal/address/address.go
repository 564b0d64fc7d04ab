// Package address has the rules of what archives, buckets and services can be
// called. The S3 tools ask it about their command line, napback about its
// configuration, so that what one of them takes the other does not refuse.
//
// Only what no service could do is refused; a service may refuse more.
package address

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CheckName reports why name cannot be the name of an archive, or nil: it
// holds no ':', no leading '/', no component that is empty, "." or "..", no
// control characters, only UTF-8, and no more than most bytes.
func CheckName(name string, most int) error {
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
	if n := len(name); n > most {
		return fmt.Errorf("the name is %d bytes too long", n-most)
	}
	return CheckText("name", name)
}

// CheckText refuses what a key cannot hold or what would break a line.
func CheckText(what, text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("the %s is not UTF-8", what)
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return fmt.Errorf("the %s holds a control character", what)
	}
	return nil
}

// IsBucket allows the names that S3 has had over the years, none of which leads
// out of a directory or is hidden in it.
func IsBucket(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("._-", r)) {
			return false
		}
	}
	return name != "" && len(name) <= 255
}

// Endpoint is a directory, the URL of an S3 service or, when both are empty,
// AWS.
type Endpoint struct {
	Dir string
	URL string
}

// EndpointError is what is wrong with an endpoint. Its text does not quote it,
// because there may be a password in it.
type EndpointError struct {
	Reason string
	Want   string // what to write instead; "" if the reason says it
	Secret bool   // there is a user name or a password in it
}

func (e *EndpointError) Error() string { return e.Reason }

// ParseEndpoint reads an endpoint. It refuses what would be ignored silently,
// and credentials, which would end up in logs and manifests. Its errors are
// EndpointErrors.
func ParseEndpoint(raw string) (Endpoint, error) {
	const forms = "want https://HOST, http://HOST:PORT or file:///DIR"
	if raw == "" {
		return Endpoint{}, nil
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil: // url's own error repeats raw
		return Endpoint{}, &EndpointError{Reason: "not a URL", Want: forms}
	case u.User != nil:
		return Endpoint{}, &EndpointError{Reason: "a user name or password does not belong there", Secret: true}
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return Endpoint{}, &EndpointError{Reason: "neither a query nor a fragment belongs there",
			Want: "in the path of a directory write %3F for ? and %23 for #"}
	}
	switch u.Scheme {
	case "http", "https":
		if u.Hostname() == "" {
			return Endpoint{}, &EndpointError{Reason: "no host"}
		}
		return Endpoint{URL: strings.TrimRight(u.String(), "/")}, nil
	case "file":
		if u.Host != "" && u.Host != "localhost" || !path.IsAbs(u.Path) {
			return Endpoint{}, &EndpointError{Reason: "not an absolute path", Want: "write file:///DIR, with three slashes"}
		}
		if strings.ContainsRune(u.Path, 0) {
			return Endpoint{}, &EndpointError{Reason: "a path holds no NUL"}
		}
		dir := u.Path
		if runtime.GOOS == "windows" {
			dir = strings.TrimPrefix(dir, "/") // file:///C:/dir
		}
		return Endpoint{Dir: filepath.Clean(filepath.FromSlash(dir))}, nil
	}
	return Endpoint{}, &EndpointError{Reason: "unknown scheme", Want: forms}
}

// OpenEndpoint begins the note about an endpoint that is reached without TLS
// over a network.
const OpenEndpoint = "requests are signed but not encrypted, anybody on the way can read names and data"
