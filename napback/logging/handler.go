package logging

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
)

// core is what all handlers of a log share.
type core struct {
	out    *output
	redact *Redactor
	kinds  map[string]slog.Level
	run    string
	level  slog.Level
	lowest slog.Level // of level and kinds
}

// handler is a log with the attributes that it was given so far.
type handler struct {
	*core
	own    bool       // level is that of this handler, not to be looked up
	level  slog.Level // if own
	scopes []scope    // in the order of the calls
}

// scope is the name of a group that was opened, or attributes.
type scope struct {
	group string
	attrs []slog.Attr
}

// Enabled reports whether a line of that level can be wanted. Without a level
// of the handler's own, Handle decides.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	if h.own {
		return level >= h.level
	}
	return level >= h.lowest
}

// Handle writes a line. It never fails: see step 4 of the package.
func (h *handler) Handle(_ context.Context, r slog.Record) error {
	attrs := make([]slog.Attr, 0, r.NumAttrs())
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	for _, s := range slices.Backward(h.scopes) {
		if s.group == "" {
			attrs = append(slices.Clone(s.attrs), attrs...)
		} else {
			attrs = []slog.Attr{{Key: s.group, Value: slog.GroupValue(attrs...)}}
		}
	}
	if !h.own && r.Level < h.levelOf(attrs) {
		return nil
	}
	clean := slog.NewRecord(r.Time, r.Level, h.redact.line(r.Message), 0)
	if h.run != "" {
		clean.AddAttrs(slog.String(Run, h.run))
	}
	for _, a := range attrs {
		clean.AddAttrs(h.clean(a))
	}
	h.out.put(clean)
	return nil
}

// levelOf is the level for lines with these attributes.
func (c *core) levelOf(attrs []slog.Attr) slog.Level {
	for _, a := range attrs {
		if a.Key == Kind {
			if level, ok := c.kinds[a.Value.Resolve().String()]; ok {
				return level
			}
		}
	}
	return c.level
}

// clean returns the attribute without secrets. Values that could hide one are
// made text, or a list of texts.
func (c *core) clean(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		v = slog.StringValue(c.redact.line(v.String()))
	case slog.KindGroup:
		members := slices.Clone(v.Group())
		for i := range members {
			members[i] = c.clean(members[i])
		}
		v = slog.GroupValue(members...)
	case slog.KindAny:
		v = c.cleanAny(v.Any())
	}
	return slog.Attr{Key: c.redact.line(a.Key), Value: v}
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
	case *slog.Source:
		return slog.AnyValue(x)
	}
	return slog.StringValue(c.redact.line(fmt.Sprint(value)))
}

// WithAttrs returns the log with attributes that every line gets.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	return h.with(scope{attrs: attrs})
}

// WithGroup returns the log with a group that all further attributes are in.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	return h.with(scope{group: name})
}

func (h *handler) with(s scope) slog.Handler {
	more := *h
	more.scopes = append(slices.Clip(h.scopes), s)
	return &more
}
