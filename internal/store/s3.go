package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"napback/internal/address"
	"napback/internal/archive"
	"napback/internal/cli"
)

// s3Service is AWS, or a service that speaks its protocol.
type s3Service struct {
	cfg      Config
	client   *s3.Client
	endpoint string // empty is AWS
	region   string
	policy   *policy
	errors   errorReader
	clock    *serviceClock

	// What this process has learned about the service.
	noConditions atomic.Bool // it does not know If-None-Match
	noBatches    atomic.Bool // it does not know DeleteObjects
}

// s3Bucket is one bucket of it.
type s3Bucket struct {
	*s3Service
	name string
}

var (
	_ Service       = (*s3Service)(nil)
	_ archive.Store = s3Bucket{}
)

// maxBuckets is the most buckets that a listing takes; AWS gives an account up
// to 10,000, on request more.
const maxBuckets = 1_000_000

// maxDelete is the most keys that one DeleteObjects request may name.
const maxDelete = 1000

func openS3(ctx context.Context, cfg Config, endpoint string, p *policy, l *limiter, t tuning) (Service, error) {
	if cfg.SSEKMSKey != "" && !strings.HasPrefix(cfg.SSE, "aws:kms") {
		return nil, cli.UsageErrorf("a KMS key needs server-side encryption aws:kms")
	}
	sdk, err := loadSDK(ctx, cfg, newHTTPClient(l, t.stall))
	if err != nil {
		return nil, err
	}
	pathStyle := cfg.PathStyle == "on"
	built, ok := sdk.HTTPClient.(*awshttp.BuildableClient)
	if !ok { // loadSDK has given it one
		return nil, fmt.Errorf("AWS configuration: an HTTP client of an unknown kind, %T", sdk.HTTPClient)
	}
	requests := newClient(built.GetTransport(), t.patience)
	clock := new(serviceClock)
	settings := func(o *s3.Options) {
		o.HTTPClient = requests
		o.Credentials = &markedCredentials{sdk.Credentials}
		o.Retryer = aws.NopRetryer{} // retry.go does it
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.DisableLogOutputChecksumValidationSkipped = true
		o.UsePathStyle = pathStyle
		o.APIOptions = append(o.APIOptions, clock.listen)
		if endpoint != "" {
			o.BaseEndpoint = aws.String(endpoint)
		}
	}
	client := s3.NewFromConfig(sdk, settings)
	if base := client.Options().BaseEndpoint; base != nil {
		endpoint = *base // it may also come from a profile
	}
	region := client.Options().Region
	if region == "" && endpoint != "" {
		region = defaultRegion
	}
	if region == "" {
		return nil, cli.WithHint(cli.UsageErrorf("no region: AWS keeps each bucket in one"),
			"give --region, or set AWS_REGION")
	}
	if cfg.PathStyle == "" || cfg.PathStyle == "auto" {
		pathStyle = endpoint != ""
	}
	if isOpen(endpoint) {
		cfg.Log.Notef("%s: %q", address.OpenEndpoint, endpoint)
	}
	client = s3.NewFromConfig(sdk, settings, func(o *s3.Options) { o.Region = region })
	var renew func()
	if cache, ok := sdk.Credentials.(*aws.CredentialsCache); ok {
		renew = cache.Invalidate // the SDK fetches them anew for the next request
	}
	return &s3Service{
		cfg: cfg, client: client, endpoint: endpoint, region: region, policy: p, clock: clock,
		errors: errorReader{profile: cfg.Profile, keyFile: cfg.KeyFile, region: region, renew: renew},
	}, nil
}

// isOpen tells whether requests to an endpoint cross a network in the clear.
func isOpen(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" {
		return false
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); ip != nil {
		return !ip.IsLoopback()
	}
	return host != "localhost" && !strings.HasSuffix(host, ".localhost")
}

// loadSDK reads the SDK's own configuration: environment, files, profile.
func loadSDK(ctx context.Context, cfg Config, client config.HTTPClient) (aws.Config, error) {
	// Errors tell what is worth telling; what else the SDK would print is for who
	// looks for the reason.
	logger := logging.LoggerFunc(func(_ logging.Classification, format string, args ...any) {
		cfg.Log.Debugf("AWS SDK: %s", oneLine(fmt.Sprintf(format, args...)))
	})
	options := []func(*config.LoadOptions) error{config.WithHTTPClient(client), config.WithLogger(logger)}
	if cfg.Region != "" {
		options = append(options, config.WithRegion(cfg.Region))
	}
	if cfg.Profile != "" {
		options = append(options, config.WithSharedConfigProfile(cfg.Profile))
	}
	if cfg.KeyFile != "" {
		if _, err := readKeyFile(cfg.KeyFile); err != nil {
			return aws.Config{}, cli.WithCode(cli.Usage, err)
		}
		options = append(options, config.WithCredentialsProvider(keyFile(cfg.KeyFile)))
	}
	sdk, err := config.LoadDefaultConfig(ctx, options...)
	if err == nil {
		return sdk, nil
	}
	if noProfile, ok := errors.AsType[config.SharedConfigProfileNotExistError](err); ok {
		return aws.Config{}, cli.WithHint(cli.UsageErrorf("profile %q: not in the AWS configuration files", noProfile.Profile),
			"aws configure list-profiles shows them")
	}
	return aws.Config{}, cli.UsageErrorf("AWS configuration: %s", oneLine(err.Error()))
}

func (s *s3Service) Bucket(name string) archive.Store { return s3Bucket{s, name} }

// do runs one request under the retry policy.
func (s *s3Service) do(ctx context.Context, r request, bucket string, send func(ctx context.Context) error) error {
	return s.policy.do(ctx, r, func(ctx context.Context) *failure {
		return s.errors.read(send(ctx), bucket)
	})
}

func (s *s3Service) Buckets(ctx context.Context) ([]Bucket, error) {
	var found []Bucket
	var token *string
	for {
		var page *s3.ListBucketsOutput
		err := s.do(ctx, request{verb: "list buckets"}, "", func(ctx context.Context) (err error) {
			page, err = s.client.ListBuckets(ctx, &s3.ListBucketsInput{ContinuationToken: token})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, b := range page.Buckets {
			found = append(found, Bucket{Name: aws.ToString(b.Name), Created: aws.ToTime(b.CreationDate)})
		}
		if len(found) > maxBuckets {
			return nil, request{verb: "list buckets"}.failed(fmt.Errorf("the service lists more than %d", maxBuckets))
		}
		next := page.ContinuationToken
		if aws.ToString(next) == "" || aws.ToString(next) == aws.ToString(token) {
			break
		}
		token = next
	}
	slices.SortFunc(found, func(a, b Bucket) int { return strings.Compare(a.Name, b.Name) })
	return found, nil
}

func (s *s3Service) CreateBucket(ctx context.Context, name string) error {
	in := &s3.CreateBucketInput{Bucket: &name}
	if s.region != defaultRegion {
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{
			LocationConstraint: types.BucketLocationConstraint(s.region),
		}
	}
	return s.do(ctx, request{"create bucket", name}, name, func(ctx context.Context) error {
		_, err := s.client.CreateBucket(ctx, in)
		if apiCode(err) == "BucketAlreadyOwnedByYou" {
			return nil
		}
		return err
	})
}

func (s *s3Service) DeleteBucket(ctx context.Context, name string) error {
	return s.do(ctx, request{"delete bucket", name}, name, func(ctx context.Context) error {
		_, err := s.client.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: &name})
		return err
	})
}

func (s *s3Service) RecoverCommand(bucket, keyPrefix string) string {
	var global []string
	if s.endpoint != "" {
		global = append(global, "--endpoint-url", s.endpoint)
	}
	if s.endpoint == "" || s.cfg.Region != "" {
		global = append(global, "--region", s.region)
	}
	return recoverFromS3(global, bucket, keyPrefix)
}

func (b s3Bucket) Delete(ctx context.Context, keys ...string) error {
	var all []error
	for batch := range slices.Chunk(keys, maxDelete) {
		if len(batch) == 1 || b.noBatches.Load() {
			all = append(all, b.deleteOneByOne(ctx, batch))
		} else {
			all = append(all, b.deleteBatch(ctx, batch))
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(all...)
}

func (b s3Bucket) deleteOneByOne(ctx context.Context, keys []string) error {
	var all []error
	for _, key := range keys {
		err := b.do(ctx, request{"delete object", key}, b.name, func(ctx context.Context) error {
			_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.name, Key: &key})
			if apiCode(err) == "NoSuchKey" {
				return nil
			}
			return err
		})
		all = append(all, err)
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(all...)
}

// deleteBatch deletes up to maxDelete keys with one request, and those that
// the service reports as not deleted once more one by one, where each is
// tried and explained for itself. Content-MD5 is what services ask for which
// do not know the SDK's newer checksums.
func (b s3Bucket) deleteBatch(ctx context.Context, keys []string) error {
	objects := make([]types.ObjectIdentifier, len(keys))
	for i := range keys {
		objects[i].Key = &keys[i]
	}
	var out *s3.DeleteObjectsOutput
	r := request{fmt.Sprintf("delete %d objects in bucket", len(keys)), b.name}
	err := b.do(ctx, r, b.name, func(ctx context.Context) (err error) {
		out, err = b.client.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: &b.name,
			Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)},
		}, s3.WithAPIOptions(smithyhttp.AddContentChecksumMiddleware))
		if knowsNoBatches(err) {
			b.noBatches.Store(true)
			out, err = nil, nil
		}
		return err
	})
	if err != nil {
		return err
	}
	if out == nil {
		return b.deleteOneByOne(ctx, keys)
	}
	var left []string
	for _, e := range out.Errors {
		// Only what was asked for is deleted, whatever the answer names.
		if key := aws.ToString(e.Key); aws.ToString(e.Code) != "NoSuchKey" {
			if !slices.Contains(keys, key) {
				return r.failed(fmt.Errorf("the service answers about %q, which it was not asked to delete", oneLine(key)))
			}
			left = append(left, key)
		}
	}
	return b.deleteOneByOne(ctx, left)
}

// knowsNoBatches: the service answers DeleteObjects as something that it
// does not know or does not take.
func knowsNoBatches(err error) bool {
	switch apiCode(err) {
	case "NotImplemented", "MethodNotAllowed", "MissingContentMD5", "InvalidRequest", "MalformedXML":
		return true
	}
	status := httpStatus(err)
	return status == 501 || status == 405
}
