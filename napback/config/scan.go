package config

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// line is a logical line that says something.
type line struct {
	number int      // of its first physical line, from 1
	words  []string // at least one; of a block's line, without the brackets
	block  tagKind
}

// tagKind tells a directive from the line that opens or closes a block.
type tagKind int

const (
	noTag    tagKind = iota
	openTag          // <Name value>
	closeTag         // </Name>
)

// scanner cuts a file into logical lines.
type scanner struct {
	data   string
	at     int  // next byte
	inTag  bool // the line at hand is that of a block
	number int  // of the physical line at `at`
	fail   func(line int, format string, args ...any)
}

// scan returns the logical lines of a file. It reports what it cannot read
// with fail and goes on with the line after it, unless the file is no text.
func scan(data []byte, fail func(line int, format string, args ...any)) (lines []line, isText bool) {
	text := string(bytes.TrimPrefix(data, []byte("\ufeff")))
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if i := strings.IndexFunc(text, isForbidden); i >= 0 {
		// More would be said about a file that is no text than helps.
		r, _ := utf8.DecodeRuneInString(text[i:])
		fail(1+strings.Count(text[:i], "\n"), "control character %q: this is not a text file", r)
		return nil, false
	}
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	s := &scanner{data: text, number: 1, fail: fail}
	for s.at < len(s.data) {
		if l, ok := s.line(); ok {
			lines = append(lines, l)
		}
	}
	return lines, true
}

// isForbidden tells control characters that no configuration holds, among
// them carriage returns that end no line.
func isForbidden(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// line reads a logical line up to and including its end. It returns false if
// there is nothing on it, or nothing that can be read.
func (s *scanner) line() (line, bool) {
	s.blanks()
	l := line{number: s.number}
	s.inTag = s.peek() == '<'
	if s.inTag {
		s.at++
		l.block = openTag
		if s.peek() == '/' {
			s.at++
			l.block = closeTag
		}
	}
	closed := false // the bracket that ends a block's line has come
	for s.blanks(); !s.atEnd(); s.blanks() {
		if closed {
			return s.skip("text after the > of a block's line")
		}
		word, quoted, reason := s.word()
		if reason != "" {
			return s.skip(reason)
		}
		if l.block != noTag {
			word, closed = s.closing(word, quoted)
		}
		if word != "" || quoted {
			l.words = append(l.words, word)
		}
	}
	s.skipLine()
	switch {
	case l.block != noTag && !closed:
		s.fail(l.number, "the line of a block must end with >")
		return line{}, false
	case l.block != noTag && len(l.words) == 0:
		s.fail(l.number, "a block without a name")
		return line{}, false
	}
	return l, len(l.words) > 0
}

// closing takes the > that ends a block's line off its last word.
func (s *scanner) closing(word string, quoted bool) (string, bool) {
	if quoted {
		if s.peek() != '>' {
			return word, false
		}
		s.at++
		return word, true
	}
	// A > inside the value, as in <Directory /a>b>, belongs to it.
	rest := *s
	rest.blanks()
	if !rest.atEnd() {
		return word, false
	}
	return strings.CutSuffix(word, ">")
}

// word reads a word. A reason says why it cannot be read.
func (s *scanner) word() (word string, quoted bool, reason string) {
	if c := s.peek(); c == '"' || c == '\'' {
		word, reason = s.quoted(c)
		return word, true, reason
	}
	var b strings.Builder
	for s.at < len(s.data) && !strings.ContainsRune(" \t\n", rune(s.data[s.at])) {
		if s.continued() {
			continue
		}
		b.WriteByte(s.data[s.at])
		s.at++
	}
	if b.String() == `\` {
		return "", false, `a \ that does not end the line: remove what follows it, or quote it`
	}
	return b.String(), false, ""
}

// quoted reads a word in quotes. A backslash takes a quote or another
// backslash literally, and is itself before anything else.
func (s *scanner) quoted(quote byte) (word, reason string) {
	const unclosed = "a quote that is not closed on its line"
	var b strings.Builder
	for s.at++; ; s.at++ {
		for s.continued() {
		}
		if s.at >= len(s.data) || s.peek() == '\n' {
			return "", unclosed
		}
		c := s.peek()
		if c == quote {
			break
		}
		if next := s.at + 1; c == '\\' && next < len(s.data) && (s.data[next] == quote || s.data[next] == '\\') {
			s.at++
			c = s.peek()
		}
		b.WriteByte(c)
	}
	s.at++
	rest := s.data[s.at:]
	if ends := rest == "" || strings.ContainsRune(" \t\n", rune(rest[0])) || strings.HasPrefix(rest, "\\\n") ||
		s.inTag && rest[0] == '>'; !ends {
		return "", "text right after a closing quote: a value is quoted as a whole"
	}
	return b.String(), ""
}

// blanks skips blanks, continued line ends and a comment, which never
// continues: a path in it that ends with \ must not swallow a directive.
func (s *scanner) blanks() {
	for s.at < len(s.data) {
		switch c := s.data[s.at]; {
		case c == ' ' || c == '\t':
			s.at++
		case s.continued():
		case c == '#':
			for !s.atEnd() {
				s.at++
			}
		default:
			return
		}
	}
}

// continued skips a backslash and the line end right after it.
func (s *scanner) continued() bool {
	if !strings.HasPrefix(s.data[s.at:], "\\\n") {
		return false
	}
	s.at += 2
	s.number++
	return true
}

// skip reports a reason and skips the rest of the physical line.
func (s *scanner) skip(reason string) (line, bool) {
	s.fail(s.number, "%s", reason)
	s.skipLine()
	return line{}, false
}

func (s *scanner) skipLine() {
	for !s.atEnd() {
		s.at++
	}
	s.at++
	s.number++
}

// atEnd reports whether the line, or the file, ends here.
func (s *scanner) atEnd() bool { return s.at >= len(s.data) || s.data[s.at] == '\n' }

func (s *scanner) peek() byte {
	if s.at >= len(s.data) {
		return 0
	}
	return s.data[s.at]
}
