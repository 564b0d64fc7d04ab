package archive_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"napback/internal/archive"
	"napback/internal/store"
)

// exampleBucket is a bucket in a directory, which is gone when the example is.
func exampleBucket(ctx context.Context) (b archive.Store, remove func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	service, err := store.Open(ctx, store.Config{Options: store.Options{Endpoint: "file://" + dir}})
	if err == nil {
		err = service.CreateBucket(ctx, "backups")
	}
	if err != nil {
		log.Fatal(err)
	}
	return service.Bucket("backups"), func() { os.RemoveAll(dir) }
}

// A stream becomes an archive once all of it is stored. What comes back has
// been checked against the manifest.
func Example() {
	ctx := context.Background()
	b, remove := exampleBucket(ctx)
	defer remove()

	budget := archive.Budget{Concurrency: 2, Memory: 1 << 20}
	put, err := archive.Put(ctx, b, strings.NewReader("what is backed up"), archive.PutOptions{
		Name: "home/me", ChunkSize: 10, Budget: budget,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(put.Name, put.Bytes, "bytes in", put.Chunks, "chunks")

	newest, err := archive.Newest(ctx, b, "home/me", func(archive.RunInfo) {})
	if err != nil {
		log.Fatal(err)
	}
	var out bytes.Buffer
	if err := archive.Get(ctx, b, newest, &out, archive.GetOptions{Budget: budget}); err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.String())
	// Output:
	// home/me 17 bytes in 2 chunks
	// what is backed up
}

// A producer that failed leaves nothing: neither an archive nor its chunks.
func ExamplePut_failed() {
	ctx := context.Background()
	b, remove := exampleBucket(ctx)
	defer remove()

	_, err := archive.Put(ctx, b, strings.NewReader("half of a dump"), archive.PutOptions{
		Name: "db", ChunkSize: 10, Budget: archive.Budget{Concurrency: 2, Memory: 1 << 20},
		Finish: func(context.Context) (map[string]string, error) {
			return nil, fmt.Errorf("pg_dump: exit status 1")
		},
	})
	fmt.Println(err)
	for entry, err := range b.List(ctx, archive.Query{}) {
		fmt.Println(entry.Key, err)
	}
	// Output: pg_dump: exit status 1
}

func ExampleParseAddress() {
	for _, text := range []string{"backups:home/me", "s3://backups/home/me", "backups:db:20261120T031502Z-k3f9", "backups:../etc"} {
		a, err := archive.ParseAddress(text)
		fmt.Printf("bucket %q, name %q, run %q, error %v\n", a.Bucket, a.Name, a.Run, err)
	}
	// Output:
	// bucket "backups", name "home/me", run "", error <nil>
	// bucket "backups", name "home/me", run "", error <nil>
	// bucket "backups", name "db", run "20261120T031502Z-k3f9", error <nil>
	// bucket "", name "", run "", error address "backups:../etc": a name cannot hold the component ".."
}
