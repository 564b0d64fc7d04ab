package tar

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"napback/internal/cli"
	"napback/internal/trust"
	"napback/napback/source"
)

// A source that itself is a symbolic link, as /bin on many systems, is followed.
// tar reads the directory that it leads to by that one's own path, so that nothing
// happens if the link is changed meanwhile, and stores it under the name of the
// link. The state remembers where it led (state.Point.Real), and the manifest tells.

// follow makes the source the directory that it leads to. Who can change the link
// decides what is read, so nobody else may be able to.
func (s *directory) follow(flags, patterns []string, diffDir string) error {
	const advice = "name the directory that it leads to"
	for _, word := range flags {
		if option, _, _ := strings.Cut(word, "="); option == "--exclude" || strings.HasPrefix(option, "--exclude-f") || strings.HasPrefix(word, "-X") {
			return cli.WithHint(fmt.Errorf("TarOptions %s is compared with where a link leads: what it leaves out cannot be known", option),
				"%s and %s are for the link's name", exclude, excludeFrom)
		}
	}
	var err error
	s.real, err = trust.Way(s.source)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return cli.WithHint(errors.New("the source is a symbolic link that leads nowhere"), "was the disk not mounted that it leads to?")
	case trust.Refusal(err) != nil:
		return cli.WithHint(fmt.Errorf("the source is a symbolic link, and others can make it lead elsewhere: %w", err), advice)
	case err != nil:
		return err
	case s.real == "/":
		return cli.WithHint(errors.New("the source is a symbolic link to /"), advice)
	}
	if at, err := lookAt(s.real); err != nil || !at.dir {
		return cmp.Or(err, errNoDirectory)
	}
	if patterns, err = followPatterns(patterns, s.source, s.real); err != nil {
		return cli.WithHint(err, advice)
	}
	if real, err := filepath.EvalSymlinks(diffDir); err == nil {
		diffDir = real
	}
	s.read = s.real
	s.told = append(append(flags, rename(s.real, s.source)), excludeOptions(s.real, patterns, diffDir)...)
	return nil
}

// rename makes tar store a directory under another name. What symbolic links in it
// hold stays.
func rename(from, to string) string {
	return "--transform=flags=rhS;s,^" + sedPattern.Replace(memberName(from)) + `\($\|/\),` + sedText.Replace(memberName(to)) + `\1,`
}

// followPatterns makes patterns that are meant for names below a link such as match
// the same below the directory that it leads to, and nothing else.
func followPatterns(patterns []string, link, real string) ([]string, error) {
	var all []string
	for _, p := range patterns {
		names := split(p)
		below := func(n int) string { return path.Join(escapePattern(real), strings.Join(names[n:], "/")) }
		if strings.HasPrefix(p, "/") {
			if n := len(split(link)); len(names) > n && match(names[:n], split(link)) {
				all = append(all, below(n))
			}
			continue
		}
		if excludes(p, real) {
			return nil, fmt.Errorf("%s %q leaves out %q, which the source leads to", exclude, p, real)
		}
		all = append(all, p)
		for n := 1; n < len(names); n++ {
			of, by := match(names[:n], last(split(link), n)), match(names[:n], last(split(real), n))
			switch {
			case by && !of:
				return nil, fmt.Errorf("%s %q would match below %q, which the source leads to, but is not meant for %q", exclude, p, real, link)
			case of && !by:
				all = append(all, below(n))
			}
		}
	}
	return all, nil
}

func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}

// last are the last n names, or none if there are fewer.
func last(names []string, n int) []string {
	if len(names) < n {
		return nil
	}
	return names[len(names)-n:]
}

// match compares patterns with names, one by one.
func match(patterns, names []string) bool {
	if len(patterns) != len(names) {
		return false
	}
	for i, p := range patterns {
		if ok, _ := path.Match(p, names[i]); !ok {
			return false
		}
	}
	return true
}

var _ source.Noted = (*directory)(nil)

// Meta tells where a source that is a symbolic link leads.
func (s *directory) Meta() []string {
	if s.read == s.source {
		return nil
	}
	return []string{"target=" + s.real}
}
