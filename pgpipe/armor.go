package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

const messageType = "PGP MESSAGE"

var (
	messageBegin = []byte("-----BEGIN " + messageType + "-----")
	messageEnd   = []byte("-----END " + messageType + "-----")
)

// maxArmorHeaders bounds the lines before the first one of base64.
const maxArmorHeaders = 100

// armorReader decodes one armored message. gopenpgp's keeps all of it in memory.
// Unlike go-crypto's it returns io.EOF only if the footer is there and nothing but white space follows it.
// The optional checksum is passed over, as RFC 9580, section 6.1 demands.
type armorReader struct {
	r       *bufio.Reader
	digits  []byte // base64 not yet decoded, less than four digits between calls
	decoded []byte // not yet delivered
	padded  bool
	err     error // sticky
}

// newArmorReader reads up to the first line of base64.
func newArmorReader(r *bufio.Reader) (*armorReader, error) {
	a := &armorReader{r: r}
	begun := false
	for range maxArmorHeaders {
		line, err := a.line()
		switch {
		case err == io.EOF && begun:
			return nil, errTruncated
		case err != nil && err != io.EOF:
			return nil, err
		case !begun && len(line) == 0 && err == nil:
		case !begun && !bytes.Equal(line, messageBegin):
			return nil, errors.New("the input is not an OpenPGP message")
		case !begun:
			begun = true
		case len(line) == 0:
			return a, nil
		case !bytes.Contains(line, []byte(":")):
			return nil, errors.New("armor: no empty line after the headers")
		}
	}
	return nil, errors.New("armor: too many lines before the data")
}

func (a *armorReader) Read(p []byte) (int, error) {
	for len(a.decoded) == 0 {
		if a.err != nil {
			return 0, a.err
		}
		a.err = a.decodeLine()
	}
	n := copy(p, a.decoded)
	a.decoded = a.decoded[n:]
	return n, nil
}

func (a *armorReader) decodeLine() error {
	line, err := a.line()
	switch {
	case err == io.EOF:
		return errTruncated
	case err != nil:
		return err
	case bytes.Equal(line, messageEnd):
		if len(a.digits) > 0 {
			return errTruncated
		}
		return a.onlySpaceFollows()
	case len(line) == 5 && line[0] == '=', len(line) == 0:
		return nil
	case a.padded:
		return errors.New("armor: data after its end")
	}
	a.digits = append(a.digits, line...)
	whole := len(a.digits) / 4 * 4
	decoded, err := base64.StdEncoding.Strict().AppendDecode(nil, a.digits[:whole])
	if err != nil {
		return fmt.Errorf("armor: %w", err)
	}
	a.padded = whole > 0 && a.digits[whole-1] == '='
	a.digits = append(a.digits[:0], a.digits[whole:]...)
	a.decoded = decoded
	return nil
}

// line returns the next line without white space around it. The last one may
// lack its line end; io.EOF comes after it.
func (a *armorReader) line() ([]byte, error) {
	line, err := a.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		return nil, errors.New("armor: line too long")
	}
	line = bytes.TrimSpace(line)
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	return line, err
}

func (a *armorReader) onlySpaceFollows() error {
	for {
		line, err := a.line()
		if err != nil {
			return err // io.EOF is the good end
		}
		if len(line) > 0 {
			return errTrailing
		}
	}
}
