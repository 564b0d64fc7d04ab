package dump

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"

	"napback/internal/cli"
)

// psql does what lines with a backslash say: run programs, read and write files.
// A dump needs three of these commands: \connect, to another database of the same
// server, \encoding, and \restrict KEY, after which psql obeys none of them until \unrestrict
// with the same KEY (releases of August 2025 and later; a dump that was made
// before has none).
var (
	connectLine = regexp.MustCompile(`^\\connect (?:[A-Za-z_][A-Za-z0-9_]*|"(?:[^"=:/\\` + "`" + `\r\n]|"")+"|-reuse-previous=on "dbname='(?:[^'"\\\r\n]|\\\\|\\'|"")*'")$`)
	// Encodings in which no byte of a longer character looks like another one.
	encodingLine = regexp.MustCompile(`^\\encoding (?:SQL_ASCII|UTF8|LATIN[0-9]+|WIN[0-9]+|ISO_8859_[0-9]+|KOI8[RU]|EUC_[A-Z0-9_]+)$`)
	keyLine      = regexp.MustCompile(`^\\(?:un)?restrict [0-9A-Za-z]+$`)
	// copyLine is how pg_dump begins the rows of a table.
	copyLine = regexp.MustCompile(`^COPY ` + sqlName + `(?:\.` + sqlName + `)? (?:\(` + sqlName + `(?:, ` + sqlName + `)*\) )?FROM stdin;$`)
)

const sqlName = `(?:[a-z_][a-z0-9_]*|"(?:[^"]|"")+")`

const (
	maxCommand = 64 << 10 // bytes of a line that psql obeys
	maxCopy    = 1 << 20  // bytes of what begins a table, and of what is looked at ahead
)

// SafeSQL copies a dump of PostgreSQL from r to w, for psql. It lets through no
// command of psql's but those of a dump: anything else is an error with the code
// cli.Integrity that tells the line. Rows of tables are copied unseen.
//
// With a key, which nobody may know who can write dumps, it makes psql itself
// refuse all other commands, by \restrict: even if psql should take for a command
// what SafeSQL has taken for something else, since the dump can change settings
// on which that depends. Without a key a dump that was made for it can do that.
//
// With another name, the dump makes a database of that name: all that it says of its
// own goes there, and what it says of a third one is an error, too.
func SafeSQL(w io.Writer, r io.Reader, key string, other Other) error {
	return (&safeSQL{key: key, other: other}).copy(w, r)
}

func (s *safeSQL) copy(w io.Writer, r io.Reader) error {
	s.in, s.out, s.line, s.fresh = bufio.NewReaderSize(r, maxCopy), bufio.NewWriterSize(w, copyBuffer), 1, true
	s.open("")
	var err error
	for err == nil {
		err = s.step()
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	if s.key != "" {
		s.out.WriteString("\n\\unrestrict " + s.key + "\n")
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("write the dump: %w", err)
	}
	return nil
}

// safeSQL reads as psql does, outside of rows: text, of which quotes, dollar
// quotes and comments may hold backslashes. Errors of out are found by Flush.
type safeSQL struct {
	in    *bufio.Reader
	out   *bufio.Writer
	key   string
	other Other
	each  func(statement string) // gets each one, without comments, as far as it is short
	text  []byte                 // the statement at hand, for each
	line  int
	fresh bool   // at the beginning of a line
	begun bool   // the statement at hand has begun
	word  []byte // the name or number at hand
}

func (s *safeSQL) refuse(format string, args ...any) error {
	return cli.Errorf(cli.Integrity, "refused: line %d of the dump: %s", s.line, fmt.Sprintf(format, args...))
}

// open writes a command of psql's where it is obeyed.
func (s *safeSQL) open(command string) {
	if s.key == "" {
		s.out.WriteString(command)
		return
	}
	if command != "" {
		s.out.WriteString("\\unrestrict " + s.key + "\n" + command)
	}
	s.out.WriteString("\\restrict " + s.key + "\n")
}

// next takes a byte and passes it on.
func (s *safeSQL) next() (byte, error) {
	b, err := s.in.ReadByte()
	if err != nil {
		return 0, err
	}
	if s.fresh = b == '\n'; s.fresh {
		s.line++
	}
	if s.each != nil && len(s.text) < maxCommand {
		s.text = append(s.text, b)
	}
	return b, s.out.WriteByte(b)
}

// sees reports whether text is next.
func (s *safeSQL) sees(text string) bool {
	p, _ := s.in.Peek(len(text))
	return string(p) == text
}

// step takes what comes next: a byte of a statement, or a whole quote, comment,
// command or table.
func (s *safeSQL) step() error {
	if s.sees("\\") {
		return s.command()
	}
	if !s.begun && len(s.word) == 0 {
		if p, _ := s.in.Peek(4); bytes.EqualFold(p, []byte("COPY")) {
			return s.table()
		}
	}
	if (len(s.word) == 0 || s.word[0] <= '9' && s.word[0] >= '0') && s.sees("$") {
		if p, _ := s.in.Peek(256); dollarQuote.Match(p) {
			end := string(dollarQuote.Find(p))
			return s.unseen(func() error { return s.until(end, end) })
		}
	}
	switch {
	case s.sees("--"):
		s.word = s.word[:0]
		return s.unseen(func() error { return s.until("--", "\n") })
	case s.sees("/*"):
		s.word = s.word[:0]
		return s.unseen(s.comment)
	}
	b, err := s.next()
	if err != nil {
		return err
	}
	before := string(s.word)
	s.word = s.word[:0]
	switch {
	case b == '\'' || b == '"':
		s.begun = true
		return s.quoted(b, before)
	case b == ';':
		s.begun = false
		s.ended()
	case b == ' ' && before == "DATABASE" && s.other.As != "":
		return s.renamed()
	case b == ' ' || b == '\t' || b == '\n' || b == '\r' || b == '\f' || b == '\v':
	default:
		s.begun = true
		if b == '_' || b == '$' || b >= 0x80 || b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'z' {
			s.word = append(s.word, before[:min(len(before), 8)]...)
			s.word = append(s.word, b)
		}
	}
	return nil
}

var dollarQuote = regexp.MustCompile(`^\$(?:[A-Za-z_\x80-\x{10ffff}][A-Za-z_0-9\x80-\x{10ffff}]*)?\$`)

// skip takes n bytes of a quote or comment.
func (s *safeSQL) skip(n int) error {
	for range n {
		if _, err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// until takes what begins with one text and ends with another.
func (s *safeSQL) until(from, end string) error {
	err := s.skip(len(from))
	for err == nil && !s.sees(end) {
		err = s.skip(1)
	}
	if err != nil {
		return err
	}
	return s.skip(len(end))
}

// comment takes one that can hold others.
func (s *safeSQL) comment() error {
	for depth := 0; ; {
		n := 1
		switch {
		case s.sees("/*"):
			depth, n = depth+1, 2
		case s.sees("*/"):
			depth, n = depth-1, 2
		}
		if err := s.skip(n); err != nil || depth == 0 {
			return err
		}
	}
}

// quoted takes the rest of a quote that follows a word. The statement at hand keeps
// names, not texts.
func (s *safeSQL) quoted(end byte, before string) error {
	if end == '"' || bytes.HasPrefix(bytes.TrimLeft(s.text, "\n"), []byte(namesEncoding)) {
		return s.quote(end, false)
	}
	return s.unseen(func() error { return s.quote(end, before == "e" || before == "E") })
}

// quote takes the rest of one, of which escapes tells that a backslash hides the
// byte after it. That a quote is doubled needs no care: it ends, and begins.
func (s *safeSQL) quote(end byte, escapes bool) error {
	for {
		b, err := s.next()
		switch {
		case err != nil:
			return err
		case escapes && (b == '\\' || b == end && s.sees("'")):
			if err := s.skip(1); err != nil {
				return err
			}
		case b == end:
			return nil
		}
	}
}

// command takes a line for psql.
func (s *safeSQL) command() error {
	line, err := s.in.ReadSlice('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return s.refuse("a command that no dump has")
	}
	text := string(bytes.TrimRight(line, "\r\n"))
	switch {
	case !s.fresh || len(text) > maxCommand || s.begun:
		return s.refuse("a command within a statement: %q", begin(text))
	case s.other.As != "" && connectLine.MatchString(text):
		if connected(text) != s.other.Of {
			return s.refuse("it goes to another database than %q: %q", s.other.Of, begin(text))
		}
		s.open(`\connect "` + s.other.As + "\"\n")
	case connectLine.MatchString(text), encodingLine.MatchString(text):
		s.open(text + "\n")
	case keyLine.MatchString(text):
		if s.key == "" {
			s.out.Write(line)
		}
	default:
		return s.refuse("a command that no dump has: %q", begin(text))
	}
	s.line++
	return nil
}

func begin(text string) string { return text[:min(len(text), 80)] }

// table takes what begins one, and its rows.
func (s *safeSQL) table() error {
	var all []byte
	for fresh := s.fresh; ; {
		line, err := s.in.ReadSlice('\n')
		all = append(all, line...)
		if !fresh || err != nil || len(all) > maxCopy {
			return s.refuse("a COPY that no dump has: %q", begin(string(all)))
		}
		s.line++
		if bytes.Count(all, []byte{'"'})%2 == 0 {
			break
		}
	}
	if !copyLine.Match(bytes.TrimRight(all, "\r\n")) {
		return s.refuse("a COPY that no dump has: %q", begin(string(all)))
	}
	s.out.Write(all)
	for first := true; ; {
		line, err := s.in.ReadSlice('\n')
		s.out.Write(line)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if first && string(bytes.TrimRight(line, "\r\n")) == `\.` {
			s.line++
			s.fresh = true
			return nil
		}
		if first = err == nil; first {
			s.line++
		}
	}
}
