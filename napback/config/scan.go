package config

import (
	"bytes"
	"regexp"
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
	rest   string // of the file
	inTag  bool   // the line at hand is that of a block
	number int    // of the physical line where rest begins
	fail   func(line int, format string, args ...any)
}

// What lines are made of. A backslash right before a line end continues the line,
// but not a comment: a path in it that ends with \ must not swallow a directive.
var (
	blanks   = regexp.MustCompile(`^(?:[ \t]|\\\n)*(?:#[^\n]*)?`)
	bareWord = regexp.MustCompile(`^(?:\\\n|[^ \t\n])+`)
	// The ends of quotes are not part of these.
	single = regexp.MustCompile(`^'(?:\\(?s:.)|[^'\n\\])*`)
	double = regexp.MustCompile(`^"(?:\\(?s:.)|[^"\n\\])*`)
)

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
	s := &scanner{rest: text, number: 1, fail: fail}
	for s.rest != "" {
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
	s.take(blanks)
	l := line{number: s.number}
	s.inTag = s.peek() == '<'
	if s.inTag {
		s.rest = s.rest[1:]
		l.block = openTag
		if s.peek() == '/' {
			s.rest = s.rest[1:]
			l.block = closeTag
		}
	}
	closed := false // the bracket that ends a block's line has come
	for s.take(blanks); !s.atEnd(); s.take(blanks) {
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
		s.rest = s.rest[1:]
		return word, true
	}
	// A > inside the value, as in <Directory /a>b>, belongs to it.
	rest := *s
	rest.take(blanks)
	if !rest.atEnd() {
		return word, false
	}
	return strings.CutSuffix(word, ">")
}

// word reads a word. A reason says why it cannot be read.
func (s *scanner) word() (word string, quoted bool, reason string) {
	switch s.peek() {
	case '"':
		word, reason = s.quoted(`"`, double)
		return word, true, reason
	case '\'':
		word, reason = s.quoted("'", single)
		return word, true, reason
	}
	word = strings.ReplaceAll(s.take(bareWord), "\\\n", "")
	if word == `\` {
		return "", false, `a \ that does not end the line: remove what follows it, or quote it`
	}
	return word, false, ""
}

// quoted reads a word in quotes. A backslash takes a quote or another
// backslash literally, and is itself before anything else.
func (s *scanner) quoted(quote string, inside *regexp.Regexp) (word, reason string) {
	word = strings.NewReplacer("\\\n", "", `\`+quote, quote, `\\`, `\`).Replace(s.take(inside)[1:])
	if !strings.HasPrefix(s.rest, quote) {
		return "", "a quote that is not closed on its line"
	}
	s.rest = s.rest[1:]
	if ends := s.rest == "" || strings.ContainsRune(" \t\n", rune(s.rest[0])) || strings.HasPrefix(s.rest, "\\\n") ||
		s.inTag && s.rest[0] == '>'; !ends {
		return "", "text right after a closing quote: a value is quoted as a whole"
	}
	return word, ""
}

// take reads what is next of a kind.
func (s *scanner) take(kind *regexp.Regexp) string {
	text := kind.FindString(s.rest)
	s.rest = s.rest[len(text):]
	s.number += strings.Count(text, "\n")
	return text
}

// skip reports a reason and skips the rest of the physical line.
func (s *scanner) skip(reason string) (line, bool) {
	s.fail(s.number, "%s", reason)
	s.skipLine()
	return line{}, false
}

func (s *scanner) skipLine() {
	_, s.rest, _ = strings.Cut(s.rest, "\n")
	s.number++
}

// atEnd reports whether the line, or the file, ends here.
func (s *scanner) atEnd() bool { return s.rest == "" || s.rest[0] == '\n' }

func (s *scanner) peek() byte {
	if s.rest == "" {
		return 0
	}
	return s.rest[0]
}
