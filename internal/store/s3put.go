package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"crypto/sha256"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"napback/internal/archive"
)

// sumMetadata is the object's metadata (x-amz-meta-sha256) that lets a HEAD
// tell whether an object is the one that was to be stored.
const sumMetadata = "sha256"

// upload is one Put: what is remembered from one of its tries to the next.
type upload struct {
	bucket s3Bucket
	obj    archive.Upload
	sum    string
	// maybeStored: an earlier try ended without an answer, so an object
	// that is there now may be ours.
	maybeStored bool
	// isAnother: what is stored under the key has been looked at, and is not
	// our object.
	isAnother bool
}

func (b s3Bucket) Put(ctx context.Context, obj archive.Upload) error {
	u := &upload{bucket: b, obj: obj, sum: hex.EncodeToString(obj.SHA256[:])}
	err := b.policy.do(ctx, request{"put object", obj.Key}, u.try)
	if err != nil && u.maybeStored && !u.isAnother {
		err = &unknown{err}
	}
	return err
}

// unknown is the error of a Put of which a try may have succeeded. Its text is
// the cause's alone: only for some objects does it matter.
type unknown struct{ error }

func (e *unknown) Unwrap() []error { return []error{e.error, archive.ErrUnknown} }

// try sends the object once, and finds out what is there if the service says
// that something is.
func (u *upload) try(ctx context.Context) *failure {
	b := u.bucket
	conditional := !b.noConditions.Load()
	if !conditional {
		// Without If-None-Match this look and the PUT are not one step:
		// two writers of one key could overwrite each other. Run ids are
		// random so that there are never two.
		f := u.settle(ctx)
		if f == nil || !errors.Is(f.cause, archive.ErrNotExist) {
			return f
		}
	}
	err := u.send(ctx, conditional)
	switch {
	case err == nil:
		return nil
	case conditional && knowsNoConditions(err):
		if !b.noConditions.Swap(true) {
			b.cfg.Log.Notef("the service does not know If-None-Match: every upload looks first whether the key is free")
		}
		return u.try(ctx)
	case httpStatus(err) == 412:
		return u.settle(ctx)
	}
	f := b.errors.read(err, b.name)
	u.maybeStored = u.maybeStored || f.ambiguous
	return f
}

// send is the PUT itself.
func (u *upload) send(ctx context.Context, conditional bool) error {
	cfg := u.bucket.cfg
	if _, err := u.obj.Body.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the data: %w", err)
	}
	body := &tryBody{body: u.obj.Body}
	defer body.end()
	in := &s3.PutObjectInput{
		Bucket:        &u.bucket.name,
		Key:           &u.obj.Key,
		Body:          body,
		ContentLength: aws.Int64(u.obj.Size),
		Metadata:      map[string]string{sumMetadata: u.sum},
	}
	if conditional {
		in.IfNoneMatch = aws.String("*")
	}
	if u.obj.Bulk {
		in.StorageClass = types.StorageClass(cfg.StorageClass)
	}
	if cfg.SSE != "" {
		in.ServerSideEncryption = types.ServerSideEncryption(cfg.SSE)
	}
	if cfg.SSEKMSKey != "" {
		in.SSEKMSKeyId = &cfg.SSEKMSKey
	}
	_, err := u.bucket.client.PutObject(ctx, in, s3.WithAPIOptions(signSum(u.sum)))
	return err
}

// settle finds out what is stored under the key. It returns nil if that is
// our object, a failure with ErrNotExist if there is none, ErrExist if it is
// another.
func (u *upload) settle(ctx context.Context) *failure {
	b := u.bucket
	head, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &u.obj.Key})
	if err != nil {
		f := b.errors.read(err, b.name)
		if errors.Is(f.cause, archive.ErrPermission) {
			return u.settleDenied(f)
		}
		if errors.Is(f.cause, archive.ErrNotExist) {
			f.retryable = true // there was one when the PUT was refused
		}
		return f
	}
	if aws.ToInt64(head.ContentLength) != u.obj.Size {
		return u.another()
	}
	for name, sum := range head.Metadata {
		if strings.EqualFold(name, sumMetadata) {
			return u.same(sum)
		}
	}
	return u.settleByReading(ctx)
}

func (u *upload) same(sum string) *failure {
	if strings.EqualFold(sum, u.sum) {
		return nil
	}
	return u.another()
}

// another: the key is taken by an object that is not ours.
func (u *upload) another() *failure {
	u.isAnother = true
	return &failure{cause: archive.ErrExist}
}

// settleDenied decides for credentials that can write but not look. With
// If-None-Match the service has just said that the key is taken. After a try
// whose answer was lost it was that try where nobody else uses the key; where
// somebody may, it is not known.
func (u *upload) settleDenied(denied *failure) *failure {
	if u.bucket.noConditions.Load() {
		// Nothing protects what may be there, so nothing is sent.
		return denied
	}
	if u.maybeStored && u.obj.Contended {
		return &failure{cause: archive.ErrExist} // Put adds that it is not known
	}
	if u.maybeStored {
		return nil
	}
	return &failure{cause: archive.ErrExist}
}

// settleByReading compares with an object that another program has stored, or
// a service that drops metadata.
func (u *upload) settleByReading(ctx context.Context) *failure {
	b := u.bucket
	out, err := b.client.GetObject(forData(ctx), &s3.GetObjectInput{Bucket: &b.name, Key: &u.obj.Key})
	if err != nil {
		f := b.errors.read(err, b.name)
		if errors.Is(f.cause, archive.ErrPermission) {
			return u.settleDenied(f)
		}
		return f
	}
	defer out.Body.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(out.Body, u.obj.Size+1))
	if err != nil {
		return b.errors.read(err, b.name)
	}
	if n != u.obj.Size {
		return u.another()
	}
	return u.same(hex.EncodeToString(hash.Sum(nil)))
}

// knowsNoConditions: the service refuses If-None-Match as such.
func knowsNoConditions(err error) bool {
	switch apiCode(err) {
	case "NotImplemented":
		return true
	case "InvalidArgument", "InvalidRequest":
		text := strings.ToLower(apiMessage(err))
		return strings.Contains(text, "if-none-match") || strings.Contains(text, "if none match")
	}
	return httpStatus(err) == 501
}

// signSum makes the SDK sign the hash that the caller has computed already,
// instead of reading the whole body once more.
func signSum(sum string) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		const id = "ComputePayloadHash" // the SDK's step that this one takes the place of
		_, err := stack.Finalize.Swap(id, middleware.FinalizeMiddlewareFunc(id,
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				return next.HandleFinalize(v4.SetPayloadHash(ctx, sum), in)
			}))
		return err
	}
}

// tryBody is the body of one try. net/http may still be reading it for a
// moment after the try has ended; end keeps it from the rewound body that the
// next try sends, and from the caller's memory after Put.
type tryBody struct {
	mu    sync.Mutex
	body  io.ReadSeeker
	ended bool
}

var errTryEnded = errors.New("the try has ended")

func (t *tryBody) Read(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return 0, errTryEnded
	}
	return t.body.Read(p)
}

func (t *tryBody) Seek(offset int64, whence int) (int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return 0, errTryEnded
	}
	return t.body.Seek(offset, whence)
}

func (t *tryBody) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
}
