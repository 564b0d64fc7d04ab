package store

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"time"

	"napback/internal/address"
	"napback/internal/archive"
	"napback/internal/cli"
)

// Options are the flags that every tool shares which talks to a store. Tools
// embed the struct in their own options.
type Options struct {
	KeyFile        string   `short:"K" name:"key-file" aliases:"keyfile" placeholder:"FILE" help:"File with the lines key=, secret= and optionally token=, readable by its owner only. Default: the AWS SDK's own chain (environment, profile, SSO, instance role)."`
	Endpoint       string   `name:"endpoint" placeholder:"URL" help:"https://HOST or http://HOST:PORT of an S3-compatible service, or file:///DIR for a directory whose sub-directories are the buckets. Default: AWS_ENDPOINT_URL_S3, else AWS_ENDPOINT_URL, else AWS."`
	Profile        string   `name:"profile" placeholder:"NAME" help:"Profile of the AWS configuration files."`
	Region         string   `name:"region" placeholder:"NAME" help:"Region of the buckets. Default: the AWS configuration's; us-east-1 where an endpoint is given."`
	PathStyle      string   `name:"path-style" enum:"auto,on,off" default:"auto" help:"Whether the bucket is part of the URL's path rather than of the host name: on, off, or auto, which is on with an endpoint."`
	BandwidthLimit cli.Size `name:"bwlimit" placeholder:"SIZE" help:"Bytes per second, up and down together, of the whole process. Default: no limit."`
}

// Config says which store to open, and how.
type Config struct {
	Options
	Attempts     int           // tries of one request before it fails; 0 means 5
	NeverDie     bool          // after Attempts, wait RetryWait and go on with the same request, for ever
	RetryWait    time.Duration // 0 means 30 minutes
	StorageClass string        // of bulk objects; empty is the bucket's default
	SSE          string        // server-side encryption: AES256, aws:kms, ...; empty is the bucket's default
	SSEKMSKey    string        // the key of SSE aws:kms
	Log          *cli.Log      // may be nil
}

// Defaults of Config.
const (
	defaultAttempts  = 5
	defaultRetryWait = 30 * time.Minute
	defaultRegion    = "us-east-1" // of an endpoint that is not AWS
)

// Service is the set of buckets behind one endpoint with one set of
// credentials. Its methods are safe for concurrent use.
type Service interface {
	// Bucket returns the store of one bucket. Whether the bucket exists
	// shows with the first operation.
	Bucket(name string) archive.Store

	// Buckets lists the buckets in the order of their names.
	Buckets(ctx context.Context) ([]Bucket, error)

	// CreateBucket creates a bucket. One that exists already and is ours
	// is no error.
	CreateBucket(ctx context.Context, name string) error

	// DeleteBucket removes an empty bucket.
	DeleteBucket(ctx context.Context, name string) error

	// RecoverCommand returns a POSIX shell command that writes the objects
	// whose keys begin with keyPrefix to stdout in the order of their
	// keys, with nothing but the AWS command line, or for a directory with
	// cat. It needs no bracketing in front of a pipe, holds no secret, and
	// ends with a failure if an object could not be read. Keys that go on
	// with a `/` after keyPrefix are left out by the directory's command.
	RecoverCommand(bucket, keyPrefix string) string
}

// Bucket is an entry of Service.Buckets.
type Bucket struct {
	Name    string
	Created time.Time // for a directory, when it was last modified
}

// tuning is what tests make shorter.
type tuning struct {
	stall    time.Duration // a connection that moves no byte for so long is broken
	backoff  time.Duration // ceiling of the first wait between two tries
	patience time.Duration // an answer that is no data is whole in this time
}

func defaultTuning() tuning {
	return tuning{stall: 2 * time.Minute, backoff: 500 * time.Millisecond, patience: answerTime}
}

// Open returns the service that cfg describes. For a directory the directory
// must exist; for S3 no request is made yet.
func Open(ctx context.Context, cfg Config) (Service, error) {
	return open(ctx, cfg, defaultTuning())
}

func open(ctx context.Context, cfg Config, t tuning) (Service, error) {
	if cfg.Attempts < 0 || cfg.RetryWait < 0 || cfg.BandwidthLimit < 0 {
		return nil, cli.UsageErrorf("attempts, retry wait and bandwidth limit must not be negative")
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = defaultAttempts
	}
	if cfg.RetryWait == 0 {
		cfg.RetryWait = defaultRetryWait
	}
	raw := cfg.Endpoint
	for _, name := range []string{"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"} {
		if raw == "" {
			raw = os.Getenv(name)
		}
	}
	where, err := address.ParseEndpoint(raw)
	if err != nil {
		return nil, endpointError(raw, err)
	}
	policy := &policy{
		attempts: cfg.Attempts,
		neverDie: cfg.NeverDie,
		wait:     cfg.RetryWait,
		backoff:  t.backoff,
		log:      cfg.Log,
	}
	limit := newLimiter(int64(cfg.BandwidthLimit))
	if where.Dir != "" {
		if cfg.KeyFile != "" {
			return nil, cli.UsageErrorf("key file %q: a directory store needs no keys", cfg.KeyFile)
		}
		return openDir(where.Dir, policy, limit, cfg.Log)
	}
	return openS3(ctx, cfg, where.URL, policy, limit, t)
}

// endpointError names the endpoint and adds a hint to what is wrong with it.
func endpointError(raw string, err error) error {
	bad, ok := errors.AsType[*address.EndpointError](err)
	if !ok {
		return err
	}
	u, parseErr := url.Parse(raw)
	switch {
	case parseErr != nil: // then nobody knows what of it is a password
		err = fmt.Errorf("endpoint: %w", err)
	case bad.Secret:
		err = cli.WithHint(fmt.Errorf("endpoint %q: %w", u.Redacted(), err), "put the keys into a file and name it with -K")
	default:
		err = fmt.Errorf("endpoint %q: %w", raw, err)
	}
	if bad.Want != "" {
		err = cli.WithHint(err, "%s", bad.Want)
	}
	return cli.WithCode(cli.Usage, err)
}
