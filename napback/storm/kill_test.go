//go:build linux

package storm

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// kill is how an attempt is killed, with SIGKILL. Some moments are too short to
// be met by chance: for these a script stands before s3put or s3rm.
type kill struct {
	tool   string // napback, tar, zstd, s3put, s3ls, s3rm; all is the whole chain, as when the power fails
	when   string
	delay  time.Duration
	chunks int // objects that are there before the kill, where it is during the upload

	done   bool
	upload bool // chunks had been stored, and no manifest
}

// The moments.
const (
	anyTime   = "after a while" // after delay
	uploading = "during the upload"
	given     = "between pending and commit"  // napback has told s3put to commit, and both die before it does
	unheard   = "while s3put commits"         // napback dies when it has told s3put to commit, which goes on
	committed = "after the commit"            // napback dies before it knows
	retiring  = "before a retirement"         // napback dies when it has started s3rm, which goes on
	retired   = "in the middle of retirement" // s3rm dies
)

func (k *kill) String() string { return k.tool + " " + k.when + " " + k.delay.String() }

// scripts stand before a tool: $REAL is the real one.
var scripts = map[string][2]string{
	given: {"s3put", `fifo=$DIR/commit.$$; mkfifo "$fifo" || exit 1
exec 6<&0
"$REAL" "$@" <&6 3<"$fifo" &
put=$!
exec 5>"$fifo" 6<&-
line=$(cat <&3)
[ -n "$line" ] || { exec 5>&-; wait $put; code=$?; rm -f "$fifo"; exit $code; }
: >"$DIR/killed"
kill -9 $PPID $put
rm -f "$fifo"`},
	unheard: {"s3put", `fifo=$DIR/commit.$$; mkfifo "$fifo" || exit 1
exec 6<&0
"$REAL" "$@" <&6 3<"$fifo" &
put=$!
exec 5>"$fifo" 6<&-
line=$(cat <&3)
[ -z "$line" ] || { : >"$DIR/killed"; kill -9 $PPID; printf '%s\n' "$line" >&5; }
exec 5>&-
wait $put
code=$?
rm -f "$fifo"
exit $code`},
	committed: {"s3put", `"$REAL" "$@"
code=$?
[ $code -ne 0 ] || { : >"$DIR/killed"; kill -9 $PPID; }
exit $code`},
	retiring: {"s3rm", `: >"$DIR/killed"; kill -9 $PPID; exec "$REAL" "$@"`},
	retired: {"s3rm", `me=$$
(sleep $DELAY; kill -9 $me && : >"$DIR/killed") </dev/null >/dev/null 2>&1 &
exec "$REAL" "$@"`},
}

// jumped stands before tar where the clock is wrong: what tar writes down of the time
// is of that clock. The times of the files are not: they are of the right one.
const jumped = `"$REAL" "$@"
code=$?
for word; do case $word in
--listed-incremental=/dev/null) ;;
--listed-incremental=*) perl -0777 -pi -e 's/\A(GNU tar-[^\n]*-2\n)(\d+)/$1 . ($2 + '$JUMP')/e' "${word#*=}" ;;
esac; done
exit $code`

// prepare puts the script in place and returns how it is taken away.
func (k *kill) prepare(a *attempt, place string) (undo func()) {
	a.host.jumpTar(place)
	if k == nil || scripts[k.when][0] == "" {
		return func() {}
	}
	w := a.host.w
	bin := filepath.Join(place, "bin")
	name, text := scripts[k.when][0], scripts[k.when][1]
	path := filepath.Join(bin, name)
	head := fmt.Sprintf("#!/bin/bash\nDIR=%s\nREAL=$DIR/real.%s\nDELAY=%.4f\n", bin, name, k.delay.Seconds())
	w.must(os.Rename(path, filepath.Join(bin, "real."+name)))
	w.must(os.WriteFile(path, []byte(head+text+"\n"), 0o755))
	mark := filepath.Join(bin, "killed")
	return func() {
		w.must(os.Rename(filepath.Join(bin, "real."+name), path))
		k.done = os.Remove(mark) == nil
	}
}

// jumpTar lets tar see the host's clock.
func (h *host) jumpTar(place string) {
	path := filepath.Join(place, "bin", "tar")
	if h.w.server == nil || h.jump == 0 {
		_ = os.Remove(path)
		return
	}
	real, err := exec.LookPath("tar")
	h.w.must(err)
	h.w.must(os.WriteFile(path, fmt.Appendf(nil, "#!/bin/bash\nREAL=%s\nJUMP=%d\n%s\n", real, int(h.jump.Seconds()), jumped), 0o755))
}

// watch waits for the moment and kills. It ends with the chain.
func (k *kill) watch(w *world, pid int, stop <-chan struct{}) {
	if k == nil || k.when != anyTime && k.when != uploading {
		return
	}
	known := w.objects()
	ended := func() bool {
		select {
		case <-stop:
			return true
		case <-time.After(500 * time.Microsecond):
			return false
		}
	}
	for end := time.Now().Add(k.delay); k.when == anyTime && time.Now().Before(end) || k.when == uploading && w.uploads(known) <= k.chunks; {
		if ended() {
			return
		}
	}
	for !k.done && !ended() {
		k.strike(w, known, pid)
	}
}

// uploads returns how many objects there are of runs that are not in known and
// are not committed.
func (w *world) uploads(known map[string]*held) int {
	n := 0
	for address, h := range w.objects() {
		if known[address] == nil && !h.manifest {
			n += h.objects
		}
	}
	return n
}

// strike kills the processes that are meant, if they are there.
func (k *kill) strike(w *world, known map[string]*held, pid int) {
	var victims []int
	for p, name := range processes(pid) {
		if k.tool == "all" || name == k.tool {
			victims = append(victims, p)
		}
	}
	slices.Sort(victims) // napback first
	stored := w.uploads(known)
	for _, p := range victims {
		k.done = syscall.Kill(p, syscall.SIGKILL) == nil || k.done
	}
	k.upload = k.done && stored > 0
}

// processes are a process and all below it, by their programs.
func processes(root int) map[int]string {
	parents := map[int]int{}
	names := map[int]string{}
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range stats {
		data, err := os.ReadFile(file)
		open, end := strings.IndexByte(string(data), '('), strings.LastIndexByte(string(data), ')')
		if err != nil || open < 0 || end < open {
			continue
		}
		pid, _ := strconv.Atoi(strings.TrimSpace(string(data[:open])))
		fields := strings.Fields(string(data[end+1:]))
		parents[pid], _ = strconv.Atoi(fields[1])
		names[pid] = string(data[open+1 : end])
	}
	tree := map[int]string{}
	for pid, name := range names {
		for p := pid; p > 1; p = parents[p] {
			if p == root {
				tree[pid] = name
				break
			}
		}
	}
	return tree
}
