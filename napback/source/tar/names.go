package tar

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
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

// escaped is a byte as tar's --quoting-style=escape writes it.
var escaped = regexp.MustCompile(`(?s)\\([0-3][0-7]{2}|.)`)

// unescape undoes that.
func unescape(name string) string {
	return escaped.ReplaceAllStringFunc(name, func(e string) string {
		const letters, bytes = "abfnrtv", "\a\b\f\n\r\t\v"
		if n, err := strconv.ParseUint(e[1:], 8, 8); err == nil && len(e) == 4 {
			return string([]byte{byte(n)})
		}
		if i := strings.Index(letters, e[1:]); i >= 0 {
			return bytes[i : i+1]
		}
		return e[1:]
	})
}
