package catalog

import (
	"fmt"
	"strconv"
	"strings"

	"napback/internal/slot"
)

// Name is the name under which a slot stores a job's archive: JOB-SLOT-TYPE.
func Name(job string, number int64, kind slot.Type) string {
	return fmt.Sprintf("%s-%d-%s", job, number, kind)
}

// SplitName takes an archive name of the job apart. ok is false for the names of
// others.
func SplitName(name, job string) (number int64, kind slot.Type, ok bool) {
	rest, found := strings.CutPrefix(name, job+"-")
	if !found {
		return 0, "", false
	}
	cut := strings.LastIndexByte(rest, '-')
	if cut < 0 {
		return 0, "", false
	}
	kind = slot.Type(rest[cut+1:])
	number, err := strconv.ParseInt(rest[:cut], 10, 64)
	if err != nil || kind != slot.Full && kind != slot.Diff || Name(job, number, kind) != name {
		return 0, "", false
	}
	return number, kind, true
}

// IsNameOf tells whether an archive's name is one of the job's.
func IsNameOf(name, job string) bool {
	_, _, ok := SplitName(name, job)
	return ok
}
