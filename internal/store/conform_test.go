package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/storetest"
)

// services are what every test of the common promises runs against.
func services(t *testing.T, test func(t *testing.T, s Service)) {
	t.Run("directory", func(t *testing.T) { test(t, openTest(t, fileURL(t.TempDir()), nil)) })
	t.Run("versitygw", func(t *testing.T) { test(t, openServer(t, storetest.Versitygw(t))) })
	t.Run("minio", func(t *testing.T) { test(t, openServer(t, storetest.Minio(t))) })
}

// clearAWS keeps the user's own configuration out of a test.
func clearAWS(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
		"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func fileURL(dir string) string { return (&url.URL{Scheme: "file", Path: dir}).String() }

// quick is defaultTuning without its waits.
func quick() tuning { t := defaultTuning(); t.backoff = 1; return t }

func openTest(t *testing.T, endpoint string, change func(cfg *Config, t *tuning)) Service {
	t.Helper()
	clearAWS(t)
	cfg, tune := Config{Options: Options{Endpoint: endpoint}}, quick()
	if change != nil {
		change(&cfg, &tune)
	}
	s, err := open(t.Context(), cfg, tune)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openServer(t *testing.T, server *storetest.Server) Service {
	t.Helper()
	return openTest(t, server.Endpoint, func(cfg *Config, _ *tuning) { cfg.KeyFile = server.KeyFile(t) })
}

// TestConform runs the suite that every store passes.
func TestConform(t *testing.T) {
	services(t, func(t *testing.T, s Service) {
		var n atomic.Int32
		storetest.Conform(t, func(t *testing.T) archive.Store {
			name := fmt.Sprintf("bucket-%d", n.Add(1))
			if err := s.CreateBucket(t.Context(), name); err != nil {
				t.Fatal(err)
			}
			return s.Bucket(name)
		})
	})
}

// TestBuckets: they are created, listed, and deleted only when empty.
func TestBuckets(t *testing.T) {
	services(t, func(t *testing.T, s Service) {
		ctx := t.Context()
		for _, name := range []string{"second", "first", "second"} {
			if err := s.CreateBucket(ctx, name); err != nil {
				t.Fatalf("create %q: %v", name, err)
			}
		}
		if diff := cmp.Diff([]string{"first", "second"}, bucketNames(t, s)); diff != "" {
			t.Errorf("buckets (-want +got):\n%s", diff)
		}
		storetest.Put(t, s.Bucket("first"), "dir/key", []byte("x"))
		if err := s.DeleteBucket(ctx, "first"); err == nil || !strings.Contains(err.Error(), "not empty") {
			t.Errorf("delete of a bucket that holds something: error %v", err)
		}
		if err := s.Bucket("first").Delete(ctx, "dir/key"); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteBucket(ctx, "first"); err != nil {
			t.Errorf("delete of a bucket that was emptied: %v", err)
		}
		if diff := cmp.Diff([]string{"second"}, bucketNames(t, s)); diff != "" {
			t.Errorf("buckets (-want +got):\n%s", diff)
		}
		if err := s.CreateBucket(ctx, "../x"); err == nil {
			t.Error("a bucket was created whose name leads elsewhere")
		}
	})
}

func bucketNames(t *testing.T, s Service) (names []string) {
	t.Helper()
	all, err := s.Buckets(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range all {
		if b.Created.IsZero() {
			t.Errorf("bucket %q has no date", b.Name)
		}
		names = append(names, b.Name)
	}
	return names
}

// TestMissingBucket: every operation says that it is the bucket, and ends
// with the code for not found.
func TestMissingBucket(t *testing.T) {
	services(t, func(t *testing.T, s Service) {
		ctx, b := t.Context(), s.Bucket("nowhere")
		_, _, getErr := b.Get(ctx, "k")
		for name, err := range map[string]error{
			"put":           b.Put(ctx, storetest.Object("k", []byte("x"))),
			"get":           getErr,
			"list":          listError(ctx, b),
			"delete":        b.Delete(ctx, "k"),
			"delete many":   b.Delete(ctx, "k", "l"),
			"delete bucket": s.DeleteBucket(ctx, "nowhere"),
		} {
			if !errors.Is(err, archive.ErrNotExist) || cli.ExitStatus(err) != cli.NotFound {
				t.Errorf("%s: error %v with exit status %d", name, err, cli.ExitStatus(err))
				continue
			}
			if !strings.Contains(err.Error(), `bucket "nowhere": not found`) {
				t.Errorf("%s: error %q does not say that it is the bucket", name, err)
			}
		}
	})
}

func listError(ctx context.Context, b archive.Store) error {
	for _, err := range b.List(ctx, archive.Query{}) {
		return err
	}
	return nil
}
