package logging

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// encodeJSON writes a record as one line of JSON.
func encodeJSON(r slog.Record) []byte {
	var b bytes.Buffer
	h := slog.NewJSONHandler(&b, &slog.HandlerOptions{Level: slog.Level(math.MinInt)})
	_ = h.Handle(context.Background(), r) // a Buffer takes everything
	return b.Bytes()
}

// encodeText writes a record as one line of text with time and level.
func encodeText(r slog.Record) []byte {
	var b bytes.Buffer
	if !r.Time.IsZero() {
		b.WriteString(r.Time.Format(time.RFC3339) + " ")
	}
	b.WriteString(r.Level.String() + " ")
	b.Write(encodeShort(r))
	return b.Bytes()
}

// encodeShort is encodeText for places that note time and level themselves.
func encodeShort(r slog.Record) []byte {
	first := map[string]string{}
	var rest strings.Builder
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case Run, Job, Stage:
			first[a.Key] = word(a.Value.String())
		case Kind:
		default:
			appendAttr(&rest, "", a)
		}
		return true
	})
	var b bytes.Buffer
	for _, key := range []string{Run, Job, Stage} {
		if value := first[key]; value != "" {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(value)
		}
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	b.WriteString(printable(r.Message))
	b.WriteString(rest.String())
	b.WriteByte('\n')
	return b.Bytes()
}

// appendAttr writes " key=value", the members of groups as " group.key=value".
func appendAttr(b *strings.Builder, prefix string, a slog.Attr) {
	if a.Equal(slog.Attr{}) {
		return
	}
	if a.Value.Kind() == slog.KindGroup {
		if a.Key != "" {
			prefix += a.Key + "."
		}
		for _, member := range a.Value.Group() {
			appendAttr(b, prefix, member)
		}
		return
	}
	value := a.Value.String()
	if a.Value.Kind() == slog.KindTime {
		value = a.Value.Time().Format(time.RFC3339)
	}
	b.WriteString(" " + printable(prefix+a.Key) + "=")
	if value == "" {
		value = `""`
	} else {
		value = word(value)
	}
	b.WriteString(value)
}

// word quotes a value that would not read as one word.
func word(value string) string {
	odd := func(r rune) bool {
		return r == ' ' || r == '"' || r == '=' || r == utf8.RuneError || !unicode.IsPrint(r)
	}
	if strings.IndexFunc(value, odd) < 0 {
		return value
	}
	return strconv.Quote(value)
}

// printable escapes what a terminal would not print as itself.
func printable(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b.WriteString(`\x` + strconv.FormatUint(uint64(text[i])|0x100, 16)[1:])
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += n
	}
	return b.String()
}
