package archive_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"napback/internal/archive"
)

// fickle breaks each upload of a chunk off in its middle, and begins it again. Of the
// second chunk the first try turns out to have arrived whole.
type fickle struct{ archive.Store }

func (f fickle) Put(ctx context.Context, obj archive.Upload) error {
	if !obj.Bulk {
		return f.Store.Put(ctx, obj)
	}
	data, err := io.ReadAll(obj.Body)
	_, again := obj.Body.Seek(0, io.SeekStart)
	if err := errors.Join(err, again); err != nil {
		return err
	}
	if strings.HasSuffix(obj.Key, "1") {
		if _, err := io.CopyN(io.Discard, obj.Body, obj.Size/2); err != nil {
			return err
		}
		obj.Body = bytes.NewReader(data)
	}
	return f.Store.Put(ctx, obj)
}

// moves adds up what Moved tells.
type moves struct {
	mu         sync.Mutex
	sum, steps int64
	back       bool // something was taken back
}

func (m *moves) moved(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sum += n
	m.steps++
	m.back = m.back || n < 0
}

func TestBytesAreCountedAsTheyMoveAndOnceInTheEnd(t *testing.T) {
	st, _ := bucket(t)
	data := random(250_000)
	for _, through := range []archive.Store{st, fickle{st}} {
		var sent, got, checked moves
		o := putOptions("n", 100_000)
		o.Moved = sent.moved
		m, err := archive.Put(t.Context(), through, bytes.NewReader(data), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, breaks := through.(fickle); sent.sum != m.Bytes || sent.back != breaks {
			t.Errorf("sent %d of %d bytes; taken back: %v", sent.sum, m.Bytes, sent.back)
		}
		g := getOptions()
		g.Moved = got.moved
		if err := archive.Get(t.Context(), st, m, io.Discard, g); err != nil || got.sum != m.Bytes || got.steps <= m.Chunks {
			t.Errorf("received %d of %d bytes in %d steps: %v", got.sum, m.Bytes, got.steps, err)
		}
		g.Moved = checked.moved
		if err := archive.Verify(t.Context(), st, m, g); err != nil || checked.sum != m.Bytes {
			t.Errorf("checked %d of %d bytes: %v", checked.sum, m.Bytes, err)
		}
	}
}
