package dump

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"napback/internal/cli"
)

// Other is the name under which the dump of a database is loaded.
type Other struct {
	Of string // the database's own name
	As string // the other one, "" for none
}

// otherName is what another name may be: it needs no care wherever it is written.
var otherName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*$`)

// maxDatabase is the longest name that both kinds of servers take as it is, in bytes.
const maxDatabase = 63

// checkOther is Kind.LoadsAs for databases.
func checkOther(name string) (string, error) {
	if name == All || len(name) > maxDatabase || !otherName.MatchString(name) {
		return "", fmt.Errorf("want the name of a database: letters, digits and _ . - only, and not %q", All)
	}
	return name, nil
}

// unquoted is the name that an identifier stands for.
func unquoted(name, quote string) string {
	if inner, ok := strings.CutPrefix(name, quote); ok {
		return strings.ReplaceAll(strings.TrimSuffix(inner, quote), quote+quote, quote)
	}
	return name
}

// connected is the database of a line that connectLine matches.
func connected(line string) string {
	const complex = `\connect -reuse-previous=on "dbname='`
	if inner, ok := strings.CutPrefix(line, complex); ok {
		inner = unquoted(`"`+strings.TrimSuffix(inner, `'"`)+`"`, `"`)
		return strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(inner)
	}
	return unquoted(strings.TrimPrefix(line, `\connect `), `"`)
}

var identifier = regexp.MustCompile(`^(?:[a-z_][a-z0-9_$]*|"(?:[^"]|"")+")[ ;\n]`)

// renamed takes the name after the word DATABASE, which no dump has but where it
// means a database: names of its own are in lower case or in quotes.
func (s *safeSQL) renamed() error {
	p, _ := s.in.Peek(4 * maxDatabase)
	name := identifier.Find(p)
	if name == nil || unquoted(string(name[:len(name)-1]), `"`) != s.other.Of {
		return s.refuse("a statement about another database than %q: %q", s.other.Of, begin(string(p)))
	}
	if _, err := s.in.Discard(len(name) - 1); err != nil {
		return err
	}
	_, err := s.out.WriteString(`"` + s.other.As + `"`)
	return err
}

// How mysqldump and mariadb-dump name the database that they dump, a line each.
const mysqlName = "(`(?:[^`\n]|``)+`)"

var (
	mysqlNaming = regexp.MustCompile(`^((?:USE|CREATE DATABASE(?: /\*![0-9]+ IF NOT EXISTS\*/)?|ALTER DATABASE) )` + mysqlName + `((?: [^;]*)?;+)\r?\n$`)
	mysqlAbout  = regexp.MustCompile(`(?i)^(?:/\*![0-9]* *)?(?:USE|(?:CREATE|ALTER|DROP)\s+(?:OR REPLACE\s+)?(?:DATABASE|SCHEMA))\b`)
	delimiter   = regexp.MustCompile(`^DELIMITER (\S+)\r?\n$`)
)

// RenameMySQL copies a dump of one database of MySQL or MariaDB from r to w, and gives
// the database another name. A line about a third one is an error with the code
// cli.Integrity. What views and programs in the database name with its name stays.
func RenameMySQL(w io.Writer, r io.Reader, other Other) error {
	in, out := bufio.NewReaderSize(r, copyBuffer), bufio.NewWriterSize(w, copyBuffer)
	program := false // the lines of a trigger or the like, which are its own
	for number, fresh := 1, true; ; {
		line, err := in.ReadSlice('\n')
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
			return fmt.Errorf("read the dump: %w", err)
		}
		ended := errors.Is(err, io.EOF)
		if fresh {
			if m := delimiter.FindSubmatch(line); m != nil {
				program = string(m[1]) != ";"
			}
			m := mysqlNaming.FindSubmatch(line)
			switch {
			case m != nil && unquoted(string(m[2]), "`") == other.Of:
				line = fmt.Appendf(nil, "%s`%s`%s\n", m[1], other.As, m[3])
			case !program && mysqlAbout.Match(line):
				return cli.Errorf(cli.Integrity, "refused: line %d of the dump: it is about another database than %q: %q", number, other.Of, begin(string(line)))
			}
		}
		if _, err := out.Write(line); err != nil {
			return fmt.Errorf("write the dump: %w", err)
		}
		if fresh = bytes.HasSuffix(line, []byte("\n")); fresh {
			number++
		}
		if ended {
			break
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the dump: %w", err)
	}
	return nil
}
