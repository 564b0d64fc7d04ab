package tar

import (
	"fmt"
	"path"
	"path/filepath"
	"strconv"
	"strings"
)

// memberName is the name that tar stores an absolute path under.
func memberName(path string) string {
	if name := strings.TrimLeft(path, "/"); name != "" {
		return name
	}
	return "."
}

// memberOf is the name of a member of an archive of source, given its listed name.
func memberOf(source, listed string) string {
	if source == "/" {
		return "./" + listed
	}
	return listed
}

// Listed makes of a member's name the one that restores know it by: a path
// without a leading slash; the root directory is "".
func Listed(member string) string { return strings.TrimLeft(path.Clean("/"+member), "/") }

// Inside tells whether path is dir or below it.
func Inside(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}

// escape writes a name as tar's --quoting-style=escape might: in ASCII without
// control characters, so that it comes through JSON as it was.
func escape(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case c == '\\':
			b.WriteString(`\\`)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescape undoes tar's --quoting-style=escape.
func unescape(name string) string {
	if !strings.Contains(name, `\`) {
		return name
	}
	simple := map[byte]byte{'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v'}
	var b strings.Builder
	for i := 0; i < len(name); i++ {
		if name[i] != '\\' || i+1 == len(name) {
			b.WriteByte(name[i])
			continue
		}
		i++
		if i+3 <= len(name) {
			if n, err := strconv.ParseUint(name[i:i+3], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		if c, ok := simple[name[i]]; ok {
			b.WriteByte(c)
		} else {
			b.WriteByte(name[i])
		}
	}
	return b.String()
}
