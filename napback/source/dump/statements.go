package dump

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// unseen takes what the statement at hand need not show.
func (s *safeSQL) unseen(take func() error) error {
	n := len(s.text)
	err := take()
	s.text = s.text[:min(n, len(s.text))]
	return err
}

// ended hands on the statement at hand.
func (s *safeSQL) ended() {
	if s.each != nil && len(s.text) < maxCommand {
		s.each(strings.TrimSpace(string(s.text)))
	}
	s.text = s.text[:0]
}

const (
	roleName = `(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")`
	roleList = roleName + `(?:, ` + roleName + `)*`
)

// naming match the statements of pg_dump that need roles, and find these.
var naming = []*regexp.Regexp{
	regexp.MustCompile(`(?s)^ALTER .* OWNER TO (` + roleName + `);$`),
	regexp.MustCompile(`(?s)^(?:GRANT|REVOKE|ALTER DEFAULT PRIVILEGES) .* (?:TO|FROM) (` + roleList + `)(?: WITH GRANT OPTION| CASCADE)?(?: GRANTED BY ` + roleName + `)?;$`),
	regexp.MustCompile(`(?s)^(?:GRANT|REVOKE) .* GRANTED BY (` + roleName + `);$`),
	regexp.MustCompile(`(?s)^ALTER DEFAULT PRIVILEGES FOR ROLE (` + roleList + `) `),
	regexp.MustCompile(`(?s)^ALTER ROLE (` + roleName + `) IN DATABASE `),
	regexp.MustCompile(`(?s)^CREATE POLICY .*? TO (` + roleList + `)(?: USING| WITH CHECK|;)`),
	regexp.MustCompile(`(?s)^SET SESSION AUTHORIZATION (` + roleName + `);$`),
	regexp.MustCompile(`(?s)^CREATE USER MAPPING FOR (` + roleName + `) `),
	regexp.MustCompile(`(?s)^CREATE SCHEMA .*AUTHORIZATION (` + roleName + `);$`),
}

var (
	oneRole  = regexp.MustCompile(roleName)
	encoding = regexp.MustCompile(`^SET client_encoding = '(.*)';$`)
)

// namesEncoding begins the one statement whose text counts.
const namesEncoding = "SET client_encoding = "

// maxRoles bounds how many roles are remembered.
const maxRoles = 100_000

// Roles reads a dump of one database of PostgreSQL from r, and writes to w the names of
// the roles that its owners and rights are of, one JSON string a line. Of a dump in
// another encoding than UTF-8 it leaves out names that are not ASCII.
func Roles(w io.Writer, r io.Reader) error {
	found, isUTF8 := map[string]bool{}, false
	s := &safeSQL{each: func(statement string) {
		if m := encoding.FindStringSubmatch(statement); m != nil {
			isUTF8 = m[1] == "UTF8"
		}
		for _, n := range naming {
			m := n.FindStringSubmatch(statement)
			if m == nil {
				continue
			}
			for _, name := range oneRole.FindAllString(m[1], -1) {
				if name = unquoted(name, `"`); len(found) < maxRoles && (isUTF8 && utf8.ValidString(name) || isASCII(name)) {
					found[name] = true
				}
			}
		}
	}}
	if err := s.copy(io.Discard, r); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		line, err := json.Marshal(name)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s\n", line); err != nil {
			return fmt.Errorf("write the roles: %w", err)
		}
	}
	return nil
}

func isASCII(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool { return r >= utf8.RuneSelf })
}
