package tar

import (
	"testing"
)

func TestReportOfTar(t *testing.T) {
	var r report
	for line, forPeople := range map[string]bool{
		`tar: a\: b\377: Cannot open: Permission denied`:                        true,
		`tar: d/e: Read error at byte 0, while reading 512 bytes: Input/output`: true,
		`tar: s: socket ignored`:                                                false,
		`tar: g: file changed as we read it`:                                    true,
		`tar: h: Warning: Cannot flistxattr: Operation not supported`:           true,
		`Total bytes written: 20480 (20KiB, 18MiB/s)`:                           false,
		`tar: x: Directory is new`:                                              false,
		`tar: x: Directory has been renamed from 'y'`:                           false,
		`tar: ` + lastWords:                                                     false,
		`something else`:                                                        true,
	} {
		if got := r.line(line); got != forPeople {
			t.Errorf("%s: for people %v", line, got)
		}
	}
	if len(r.unread) != 2 || len(r.warnings) != 2 || r.bytes != 20480 || r.moved == "" {
		t.Errorf("%+v", r)
	}
	for escaped, want := range map[string]string{`a\: b\377\n\\x\`: "a: b\xff\n\\x\\", `\0412`: "!2", "plain": "plain"} {
		if got := unescape(escaped); got != want {
			t.Errorf("unescape(%q) = %q; want %q", escaped, got, want)
		}
	}
}
