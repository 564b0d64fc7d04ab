package tar

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
)

// mountPoints returns what is mounted below a directory, whose path must hold no
// symbolic links; nil where /proc does not tell.
func mountPoints(dir string) []mountPoint {
	var below []mountPoint
	for _, m := range mountTable() {
		if m.path != dir && Inside(m.path, dir) {
			below = append(below, m)
		}
	}
	return below
}

// mountTable returns what is mounted, as far as this process can see it.
func mountTable() []mountPoint {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil
	}
	defer f.Close()
	return readMounts(f)
}

// readMounts reads proc_pid_mountinfo(5).
func readMounts(r io.Reader) []mountPoint {
	var all []mountPoint
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		before, after, ok := strings.Cut(lines.Text(), " - ")
		fields, tail := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(tail) < 2 {
			continue
		}
		id, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			continue
		}
		all = append(all, mountPoint{id: id, path: unescape(fields[4]), kind: tail[0], source: unescape(tail[1])})
	}
	return all
}
