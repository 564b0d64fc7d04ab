package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"os/signal"
	"syscall"
	"time"

	"napback/internal/archive"
	"napback/internal/cli"
	"napback/internal/sign"
	"napback/internal/store"
)

func run(ctx context.Context, args []string, std cli.Streams) error {
	o, done, err := parse(args, std)
	if done || err != nil {
		return err
	}
	// The reader of stdout or stderr may be gone, as napback when it is killed.
	// That must not end the process without a word, nor before it has removed its
	// chunks. COMMAND does not inherit a signal that is caught, as it would one
	// that is ignored.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signer, verifier, err := openSigner(o)
	if err != nil {
		return err
	}
	producer, err := openProducer(o, std)
	if err != nil {
		return err
	}
	progress := cli.NewProgress(std.Err, o.Progress)
	std.Out, std.Err = progress.Over(std.Out), progress.Over(std.Err) // the producer has its own
	log := o.Log(describe.Tool, std)
	service, err := store.Open(ctx, store.Config{
		Options:      o.Options,
		Attempts:     o.Attempts,
		NeverDie:     o.NeverDie,
		RetryWait:    o.RetryWait,
		StorageClass: o.StorageClass,
		SSE:          o.SSE,
		SSEKMSKey:    o.SSEKMSKey,
		Log:          log,
	})
	if err != nil {
		return err
	}
	if verifier != nil {
		service = store.Trusting(service, archive.Trust{Verifier: verifier, AcceptUnsigned: o.AcceptUnsigned})
	}
	if o.Spool == "" {
		o.LimitMemory()
	}
	return put(ctx, o, std, service, signer, producer, progress, log)
}

// openSigner reads the keys. It refuses a signer that the verifier would not
// believe: for those who verify, what it stores would not exist.
func openSigner(o *options) (archive.Signer, *sign.Verifier, error) {
	verifier, err := o.Verifier()
	if err != nil || o.SignKey == "" {
		return nil, nil, err
	}
	signer, err := sign.OpenSigner(o.SignKey, sign.PassphraseFile(o.SignPassphrase))
	if err != nil {
		return nil, nil, cli.OrCode(cli.Usage, err)
	}
	if verifier != nil {
		err = signer.CheckWith(verifier)
	}
	return signer, verifier, err
}

// producer is where the stream comes from.
type producer interface {
	io.Reader
	// start is called before the first Read.
	start(ctx context.Context) error
	// finish is called after the last Read. It returns nil only if the
	// producer is known to have succeeded.
	finish(ctx context.Context) (map[string]string, error)
	// stop ends what was started. It is called in any case, at the end.
	stop()
}

// put stores what the producer gives and prints the address of its run.
func put(ctx context.Context, o *options, std cli.Streams, service store.Service, signer archive.Signer, from producer, progress *cli.Progress, log *cli.Log) error {
	bucket, err := openBucket(ctx, o, service, log)
	if err != nil {
		return err
	}
	// A producer that gives up ends the put, wherever it is.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer from.stop()
	if watched, ok := from.(*commitProducer); ok {
		watched.abort = cancel
	}
	host, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("name of this host: %w", err)
	}
	address := o.address
	progress.Begin(describe.Tool)
	progress.Expect(sizeOf(from), false)
	out := &printer{w: std.Out, json: o.JSON, early: o.JSON || o.CommitFD != nil, started: time.Now()}
	manifest, err := archive.Put(ctx, bucket, counted{from, progress}, archive.PutOptions{
		Name:      address.Name,
		ChunkSize: int64(o.ChunkSize),
		Budget:    o.Budget(),
		Host:      host,
		Tool:      "s3put " + cli.Version(),
		Tag:       o.Tag,
		Meta:      o.Meta,
		Owner:     o.Owner,
		Parent:    archive.Run(o.Parent),
		Keep:      o.Keep,
		Signer:    signer,
		Pretend:   o.Pretend,
		Named: func(run archive.Run) error {
			address.Run = run
			if err := out.begin(address); err != nil {
				return err
			}
			return from.start(ctx)
		},
		Finish: from.finish,
		Fetch:  func(prefix string) string { return service.RecoverCommand(address.Bucket, prefix) },
		Stored: func(number, size int64) {
			log.Verbosef("stored chunk %d, %s", number, cli.FormatSize(size))
		},
		Moved: progress.Moved,
		Log:   log,
	})
	progress.Finish()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) && errors.Is(err, context.Canceled) {
			return cause
		}
		if errors.Is(err, archive.ErrNotExist) && !o.CreateBucket {
			err = cli.WithHint(err, "--create-bucket creates it")
		}
		return err
	}
	return report(o, out, address, manifest, log)
}

// counted tells how much has been read.
type counted struct {
	io.Reader
	progress *cli.Progress
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.progress.Piped(int64(n))
	return n, err
}

// sizeOf is how much a producer will give, -1 if that is not known.
func sizeOf(from producer) int64 {
	plain, ok := from.(plainProducer)
	if !ok {
		return -1
	}
	file, ok := plain.Reader.(*os.File)
	if !ok {
		return -1
	}
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return -1
	}
	at, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	return info.Size() - at
}

// openBucket returns the bucket, and creates it where that is asked for.
func openBucket(ctx context.Context, o *options, service store.Service, log *cli.Log) (archive.Store, error) {
	bucket := service.Bucket(o.address.Bucket)
	if !o.CreateBucket {
		return bucket, nil
	}
	if !o.Pretend {
		return bucket, service.CreateBucket(ctx, o.address.Bucket)
	}
	_, err := archive.Exists(ctx, bucket, o.address.Name, "")
	if !errors.Is(err, archive.ErrNotExist) {
		return bucket, nil
	}
	log.Notef("would create the bucket %q", o.address.Bucket)
	return emptyBucket{bucket}, nil
}

// emptyBucket stands for a bucket that has not been created.
type emptyBucket struct{ archive.Store }

// List yields nothing.
func (emptyBucket) List(context.Context, archive.Query) iter.Seq2[archive.Entry, error] {
	return func(func(archive.Entry, error) bool) {}
}

// report says what was done.
func report(o *options, out *printer, address archive.Address, m *archive.Manifest, log *cli.Log) error {
	what := cli.FormatSize(m.Bytes) + " in " + cli.Plural(m.Chunks, "chunk", "chunks")
	if o.Pretend {
		log.Notef("would store %s as %s:%s", what, address.Bucket, address.Name)
		return nil
	}
	log.Verbosef("committed %s, %s", address, what)
	return out.committed(address, m)
}
