package archive_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"

	"napback/internal/archive"
)

// lateStore is a service whose answer to one upload never comes, and which
// stores the object only after the first deletion: it had received it all.
type lateStore struct {
	archive.Store
	stop context.CancelFunc
	once sync.Once
	late *archive.Upload
}

func (s *lateStore) Put(ctx context.Context, obj archive.Upload) error {
	if obj.Bulk && obj.Key[len(obj.Key)-1] == '2' {
		data, err := io.ReadAll(obj.Body)
		if err != nil {
			return err
		}
		obj.Body = bytes.NewReader(data)
		s.late = &obj
		s.stop()
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Store.Put(ctx, obj)
}

func (s *lateStore) Delete(ctx context.Context, keys ...string) error {
	err := s.Store.Delete(ctx, keys...)
	s.once.Do(func() { err = errors.Join(err, s.Store.Put(ctx, *s.late)) })
	return err
}

func TestUploadThatArrivesAfterTheCleanUpIsRemoved(t *testing.T) {
	st, dir := bucket(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	s := &lateStore{Store: st, stop: stop}
	if _, err := archive.Put(ctx, s, bytes.NewReader(random(500)), putOptions("x", 100)); err == nil {
		t.Fatal("an interrupted put succeeds")
	}
	if s.late == nil {
		t.Fatal("chunk 2 was never put")
	}
	for e, err := range st.List(t.Context(), archive.Query{}) {
		t.Errorf("%s is left in %s (%v)", e.Key, dir, err)
	}
}
