package archive_test

import (
	"bytes"
	"context"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"napback/internal/archive"
	"napback/internal/cli"
)

func TestOneBufferIsEnough(t *testing.T) {
	st, _ := bucket(t)
	o := putOptions("n", 1000)
	o.Budget.Memory = 1000
	if _, err := archive.Put(t.Context(), st, bytes.NewReader(random(5500)), o); err != nil {
		t.Fatal(err)
	}
	g := getOptions()
	g.Budget.Memory = 1000
	m, _ := archive.Newest(t.Context(), st, "n", nil)
	var out bytes.Buffer
	if err := archive.Get(t.Context(), st, m, &out, g); err != nil || !bytes.Equal(out.Bytes(), random(5500)) {
		t.Fatal(err)
	}
	o.Budget.Memory = 999
	if _, err := archive.Put(t.Context(), st, bytes.NewReader(nil), o); cli.ExitStatus(err) != cli.Usage {
		t.Errorf("a chunk larger than the memory: %v", err)
	}
	g.Budget.Memory = 999
	if err := archive.Get(t.Context(), st, m, io.Discard, g); cli.ExitStatus(err) != cli.Usage {
		t.Errorf("a chunk larger than the memory: %v", err)
	}
}

// slow counts how many transfers run at the same time.
type slow struct {
	archive.Store
	mu            sync.Mutex
	running, most int
	meet          chan struct{}
}

func (s *slow) enter() {
	s.mu.Lock()
	s.running++
	s.most = max(s.most, s.running)
	if s.running == 3 {
		close(s.meet)
	}
	s.mu.Unlock()
	<-s.meet // nobody goes on until three have come: they must be parallel
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
}

func (s *slow) Put(ctx context.Context, obj archive.Upload) error {
	if obj.Bulk {
		s.enter()
	}
	return s.Store.Put(ctx, obj)
}

func (s *slow) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if strings.Contains(key, ":0") {
		s.enter()
	}
	return s.Store.Get(ctx, key)
}

func TestTransfersRunInParallel(t *testing.T) {
	st, _ := bucket(t)
	put := &slow{Store: st, meet: make(chan struct{})}
	m, err := archive.Put(t.Context(), put, bytes.NewReader(random(30)), putOptions("n", 10))
	if err != nil || put.most != 3 {
		t.Fatalf("%d puts at a time, %v", put.most, err)
	}
	get := &slow{Store: st, meet: make(chan struct{})}
	if err := archive.Get(t.Context(), get, m, io.Discard, getOptions()); err != nil || get.most != 3 {
		t.Fatalf("%d gets at a time, %v", get.most, err)
	}
}

func TestMemoryDoesNotGrowWithTheStream(t *testing.T) {
	st, _ := bucket(t)
	// Chunks are dropped: what is measured is what Put itself holds.
	drop := dropping{st}
	measure := func(size int64) uint64 {
		var most uint64
		o := putOptions("n", 1<<20)
		o.Keep = true
		o.Budget = archive.Budget{Concurrency: 2, Memory: 4 << 20}
		o.Stored = func(number, _ int64) {
			if number%16 == 0 {
				runtime.GC()
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
		o.Budget.Concurrency = 1
		if _, err := archive.Put(t.Context(), drop, io.LimitReader(zeros{}, size), o); err != nil {
			t.Fatal(err)
		}
		return most
	}
	small, large := measure(16<<20), measure(512<<20)
	if large > small+2<<20 {
		t.Errorf("16 MiB need %d bytes, 512 MiB need %d", small, large)
	}
}

type zeros struct{}
