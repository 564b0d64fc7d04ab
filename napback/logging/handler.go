package logging

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// core is what all handlers of a log share.
type core struct {
	out    *output
	redact *Redactor
	format Format

	mu   sync.Mutex
	line bytes.Buffer // that slog's own handler writes to
}

// handler is a log with the attributes that it was given so far.
type handler struct {
	*core
	level slog.Level
	// slog writes what comes after the message of a line of text, or all of a
	// line of JSON.
	slog    slog.Handler
	first   [3]string // what a line of text puts first: run, job, stage
	grouped bool      // a group is open, so that further attributes are none of these
}

// newHandler returns the handler of a log without attributes.
func newHandler(c *core, run string) slog.Handler {
	h := &handler{core: c, level: slog.LevelInfo}
	options := &slog.HandlerOptions{ReplaceAttr: c.clean}
	if c.format == JSON {
		h.slog = slog.NewJSONHandler(&c.line, options)
	} else {
		h.slog = slog.NewTextHandler(&c.line, options)
	}
	if run == "" {
		return h
	}
	return h.WithAttrs([]slog.Attr{slog.String(Run, run)})
}

// Enabled reports whether a line of that level is wanted.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool { return level >= h.level }

// Handle writes a line. It never fails: see step 4 of the package.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	var attrs []slog.Attr
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	one := *h
	attrs = one.take(attrs)
	message := h.redact.line(r.Message)
	clean := slog.NewRecord(r.Time, r.Level, message, 0)
	if h.format != JSON {
		clean.Time, clean.Message = time.Time{}, ""
	}
	clean.AddAttrs(attrs...)

	h.mu.Lock()
	defer h.mu.Unlock()
	h.line.Reset()
	_ = h.slog.Handle(ctx, clean) // a Buffer takes everything
	if h.format == JSON {
		h.out.put(r.Level, "", h.line.String())
		return nil
	}
	begin := strings.Join(slices.DeleteFunc(one.first[:], func(word string) bool { return word == "" }), " ")
	if begin != "" {
		begin += ": "
	}
	rest := strings.TrimRight(" "+strings.TrimSpace(h.line.String()), " ")
	h.out.put(r.Level, stampOf(r), begin+printable(message)+rest+"\n")
	return nil
}

// take returns the attributes but for those that a line of text puts first,
// which it keeps, and Kind, which text leaves out.
func (h *handler) take(attrs []slog.Attr) []slog.Attr {
	var rest []slog.Attr
	for _, a := range attrs {
		i := slices.Index([]string{Run, Job, Stage}, a.Key)
		switch {
		case h.format == JSON || h.grouped || i < 0 && a.Key != Kind:
			rest = append(rest, h.cleanGroup(a))
		case i >= 0:
			h.first[i] = word(h.redact.line(a.Value.Resolve().String()))
		}
	}
	return rest
}

// cleanGroup masks secrets in the names of groups, which slog does not show to
// ReplaceAttr.
func (c *core) cleanGroup(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		return slog.Attr{Key: a.Key, Value: v}
	}
	members := slices.Clone(v.Group())
	for i := range members {
		members[i] = c.cleanGroup(members[i])
	}
	return slog.Attr{Key: c.redact.line(a.Key), Value: slog.GroupValue(members...)}
}

// clean is the log's ReplaceAttr: it returns the attribute without secrets.
// Values that could hide one are made text, or a list of texts. In text it drops
// level and message, which stand before the attributes already.
func (c *core) clean(groups []string, a slog.Attr) slog.Attr {
	v, text := a.Value, c.format != JSON
	switch v.Kind() {
	case slog.KindString:
		if text && len(groups) == 0 && a.Key == slog.MessageKey && v.String() == "" {
			return slog.Attr{}
		}
		v = slog.StringValue(c.redact.line(v.String()))
	case slog.KindTime:
		if text {
			v = slog.StringValue(v.Time().Format(time.RFC3339))
		}
	case slog.KindAny:
		if _, level := v.Any().(slog.Level); text && len(groups) == 0 && a.Key == slog.LevelKey && level {
			return slog.Attr{}
		}
		v = c.cleanAny(v.Any())
	}
	key := c.redact.line(a.Key)
	if text {
		key = printable(key)
	}
	return slog.Attr{Key: key, Value: v}
}

func (c *core) cleanAny(value any) slog.Value {
	switch x := value.(type) {
	case nil:
		return slog.AnyValue(nil)
	case []string:
		texts := make([]string, len(x))
		for i := range x {
			texts[i] = c.redact.line(x[i])
		}
		return slog.AnyValue(texts)
	case []byte:
		return slog.StringValue(c.redact.line(string(x)))
	}
	return slog.StringValue(c.redact.line(fmt.Sprint(value)))
}

// WithAttrs returns the log with attributes that every line gets.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	more := *h
	more.slog = h.slog.WithAttrs(more.take(attrs))
	return &more
}

// WithGroup returns the log with a group that all further attributes are in.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	more := *h
	more.slog, more.grouped = h.slog.WithGroup(h.redact.line(name)), true
	return &more
}
