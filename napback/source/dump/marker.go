package dump

import (
	"bytes"
	"regexp"
)

// MySQL and MariaDB end a dump with
//
//	-- Dump completed on 2026-11-21  9:53:56
//
// without the time under --skip-dump-date. PostgreSQL ends it with
//
//	--
//	-- PostgreSQL database dump complete
//	--
//
//	\unrestrict KEY
//
// where the last line is there since the releases of August 2025, and that of
// all databases with the comment alone.
var (
	dated      = regexp.MustCompile(`^(-- Dump completed) on [0-9]+-[0-9]+-[0-9]+ +[0-9:]+$`)
	unrestrict = regexp.MustCompile(`^\\unrestrict [0-9A-Za-z]+$`)
)

// lastStatement returns the last line that says something, in its form without
// a date, or "" if the last line has no end.
func lastStatement(tail []byte) string {
	if !bytes.HasSuffix(tail, []byte("\n")) {
		return ""
	}
	lines := bytes.Split(tail, []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		line := bytes.TrimRight(lines[i], "\r")
		if len(line) == 0 || string(line) == "--" || unrestrict.Match(line) {
			continue
		}
		return string(dated.ReplaceAll(line, []byte("$1")))
	}
	return ""
}
