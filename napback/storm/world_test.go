//go:build linux

package storm

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/napback/treetest"
)

// world is a store, the hosts that use it, and what they were told of it.
type world struct {
	t    *testing.T
	rng  *rand.Rand
	root string
	raw  string // the directory whose sub-directories are the buckets
	// server and link are nil for a directory store.
	server *storetest.Server
	link   *storetest.Link
	via    string            // what the hosts take for the server
	keys   map[string]string // files with the keys that the hosts use, by bucket

	start    time.Time // the first day
	day      int       // days since then
	hosts    []*host
	ids      int // hosts that there have been
	attempts []*attempt
	commits  map[string]*commit  // by address
	restored map[string]*attempt // chains that were restored and compared
	planted  map[string]bool     // addresses of forged runs
	bag      []int               // events to come
	story    []string
	count    map[string]int
}

// stores are the kinds of a world.
var stores = []string{"dir", "s3"}

// newWorld makes a world with two buckets and no host. In a directory store the
// days pass by the hosts' clocks, which are the store's too. A server keeps the
// kernel's clock, so there the days are told with --date; and so the clock that
// tar sees can be made to jump there, since it fits to the times in the source.
func newWorld(t *testing.T, kind string, seed uint64) *world {
	t.Helper()
	storetest.NotQuick(t, "shakes backups for minutes")
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 0)), root: t.TempDir(), commits: map[string]*commit{},
		restored: map[string]*attempt{}, planted: map[string]bool{}, count: map[string]int{}, start: time.Now().UTC().Truncate(24 * time.Hour),
	}
	w.must(os.Mkdir(filepath.Join(w.root, "hosts"), 0o755))
	switch kind {
	case "dir":
		w.raw = filepath.Join(w.root, "store")
	case "s3":
		w.server = storetest.Versitygw(t)
		w.link = storetest.NewLink(t, w.server.Endpoint)
		w.via = w.link.URL
		w.raw = w.server.DataDir
		w.keys = map[string]string{"one": w.server.KeyFile(t), "two": w.server.KeyFile(t)}
	}
	for _, bucket := range []string{"one", "two"} {
		w.must(os.MkdirAll(filepath.Join(w.raw, bucket), 0o755))
	}
	t.Cleanup(func() {
		if t.Failed() || testing.Verbose() {
			t.Logf("seed %d, what happened:\n%s", seed, strings.Join(w.story, "\n"))
		}
	})
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// sparse is the size from which holes are compared.
const sparse = 1 << 16

// tree describes everything below a directory that a backup must bring back.
func (w *world) tree(root string) map[string]string {
	w.t.Helper()
	all, err := treetest.Describe(root, sparse)
	w.must(err)
	return all
}

// tell writes down what happens.
func (w *world) tell(format string, args ...any) {
	w.story = append(w.story, fmt.Sprintf("%4d %s ", len(w.attempts), w.date())+fmt.Sprintf(format, args...))
}

// fault reports a broken promise.
func (w *world) fault(format string, args ...any) {
	w.t.Helper()
	text := fmt.Sprintf(format, args...)
	w.tell("FAULT %s", text)
	w.count["faults"]++
	w.t.Errorf("attempt %d, %s: %s", len(w.attempts), w.date(), text)
}

// date is today, by a clock that is right.
func (w *world) date() string { return w.start.AddDate(0, 0, w.day).Format(time.DateOnly) }

// ahead is how far the right clock is before the kernel's.
func (w *world) ahead() time.Duration {
	if w.server != nil {
		return 0
	}
	today := time.Now().UTC().Truncate(24 * time.Hour)
	return w.start.AddDate(0, 0, w.day).Sub(today)
}

// endpoint is what the hosts' configurations name.
func (w *world) endpoint() string {
	if w.server != nil {
		return w.via
	}
	return "file://" + w.raw
}

// held is a run as it lies in the store.
type held struct {
	address  string // BUCKET:NAME:RUN
	manifest bool
	objects  int
}

// objects looks into the store's own files, whatever the tools may say.
func (w *world) objects() map[string]*held {
	all := map[string]*held{}
	err := filepath.WalkDir(w.raw, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil // objects come and go while a chain runs
		}
		key, _ := filepath.Rel(w.raw, path)
		bucket, key, _ := strings.Cut(key, "/")
		cut := strings.LastIndexByte(key, ':')
		if cut < 0 {
			return nil
		}
		address := bucket + ":" + key[:cut]
		h := all[address]
		if h == nil {
			h = &held{address: address}
			all[address] = h
		}
		h.objects++
		h.manifest = h.manifest || key[cut+1:] == "manifest"
		return nil
	})
	w.must(err)
	return all
}

// tool runs a program of the test's own, with a machine whose clock is right.
func (w *world) tool(name string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(w.observer(), name), args...)
	cmd.Env = w.env()
	var errors strings.Builder
	cmd.Stderr = &errors
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %q: %w\n%s", name, args, err, errors.String())
	}
	return string(out), err
}

// observer is the directory of tools whose clock is right.
func (w *world) observer() string {
	dir := filepath.Join(w.root, "observer")
	if _, err := os.Stat(dir); err != nil {
		w.install(dir)
	}
	w.must(os.WriteFile(filepath.Join(dir, machineFile), fmt.Appendf(nil, "clock=%d\n", int(w.ahead().Seconds())), 0o644))
	return dir
}

// install makes a directory with the tools. They know where they are by their own
// file, so symbolic links would not do.
func (w *world) install(dir string) {
	from, err := built()
	w.must(err)
	w.must(os.Mkdir(dir, 0o755))
	for _, tool := range tools {
		w.must(os.Link(filepath.Join(from, tool), filepath.Join(dir, tool)))
	}
}

// env is the environment of all tools.
func (w *world) env() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.root, "TMPDIR=" + os.TempDir(), "TZ=UTC", "LC_ALL=C",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull}
	if w.server != nil {
		return append(env, "AWS_ENDPOINT_URL="+w.server.Endpoint, "AWS_REGION="+w.server.Region,
			"AWS_ACCESS_KEY_ID="+w.server.AccessKey, "AWS_SECRET_ACCESS_KEY="+w.server.SecretKey)
	}
	return append(env, "AWS_ENDPOINT_URL=file://"+w.raw)
}
