package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// download is the reader that Get returns. When the connection breaks it goes
// on where it was, with the same version of the object.
type download struct {
	ctx    context.Context
	bucket s3Bucket
	key    string
	tries  *tries
	etag   *string
	size   int64
	offset int64
	solid  int64         // offset up to which bytes have counted as progress
	body   io.ReadCloser // nil when it has to be opened anew
	err    error         // sticky
	// modified is when the object was stored, by the service's clock.
	modified time.Time
}

func (b s3Bucket) Get(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	d := &download{ctx: ctx, bucket: b, key: key, tries: b.policy.start(request{"get object", key})}
	for {
		f := d.open()
		if f == nil {
			return d, d.size, nil
		}
		if err := d.tries.next(ctx, f); err != nil {
			return nil, 0, err
		}
	}
}

// open asks for the object, or for what is left of it.
func (d *download) open() *failure {
	in := &s3.GetObjectInput{Bucket: &d.bucket.name, Key: &d.key}
	resumed := d.offset > 0
	if resumed {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-", d.offset))
		in.IfMatch = d.etag
	}
	out, err := d.bucket.client.GetObject(forData(d.ctx), in)
	if httpStatus(err) == 412 {
		return &failure{cause: errors.New("the object was replaced while it was read")}
	}
	if err != nil {
		return d.bucket.errors.read(err, d.bucket.name)
	}
	if resumed && !strings.HasPrefix(aws.ToString(out.ContentRange), fmt.Sprintf("bytes %d-", d.offset)) {
		out.Body.Close()
		return &failure{cause: errors.New("connection broke, and the service cannot send the rest alone")}
	}
	if !resumed {
		if out.ContentLength == nil || *out.ContentLength < 0 {
			out.Body.Close()
			return &failure{cause: errors.New("the service does not tell the size")}
		}
		d.etag, d.size = out.ETag, *out.ContentLength
		d.modified = aws.ToTime(out.LastModified)
	}
	d.body = out.Body
	return nil
}

func (d *download) Modified() time.Time { return d.modified }

func (d *download) Read(p []byte) (int, error) {
	for d.err == nil {
		if len(p) == 0 {
			return 0, nil
		}
		if d.offset >= d.size {
			return 0, io.EOF
		}
		f := d.ready()
		if f == nil {
			n, err := d.body.Read(p)
			if n > 0 {
				d.offset += int64(n)
				// A service that sends a byte for each try would be
				// tried for ever if that were progress.
				if d.offset-d.solid >= progressSize {
					d.solid = d.offset
					d.tries.progress()
				}
				if err != nil {
					d.drop() // the next Read opens anew what may be left
				}
				return n, nil
			}
			if err == nil {
				continue
			}
			d.drop()
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			f = d.bucket.errors.read(err, d.bucket.name)
		}
		d.err = d.tries.next(d.ctx, f)
	}
	return 0, d.err
}

// ready makes sure that there is a body to read.
func (d *download) ready() *failure {
	if err := d.ctx.Err(); err != nil {
		return &failure{cause: err}
	}
	if d.body != nil {
		return nil
	}
	return d.open()
}

func (d *download) drop() {
	if d.body != nil {
		d.body.Close()
		d.body = nil
	}
}

func (d *download) Close() error {
	d.drop()
	if d.err == nil {
		d.err = errors.New("read of a closed object")
	}
	return nil
}
