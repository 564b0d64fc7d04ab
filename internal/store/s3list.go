package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"napback/internal/archive"
)

// List implements archive.Store.
func (b s3Bucket) List(ctx context.Context, q archive.Query) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		r := request{"list bucket", b.name}
		var token *string
		last := archive.Entry{}
		for first := true; ; first = false {
			page, err := b.listPage(ctx, r, q, token)
			if err != nil {
				yield(archive.Entry{}, err)
				return
			}
			entries, err := pageEntries(page)
			if err != nil {
				yield(archive.Entry{}, r.failed(err))
				return
			}
			for _, e := range entries {
				if !first || last.Key != "" {
					if e.Key == last.Key && e.IsPrefix {
						continue // some services repeat it on the next page
					}
					if e.Key <= last.Key {
						// What relies on the order must not be led
						// to overlook an archive.
						yield(archive.Entry{}, r.failed(fmt.Errorf("the service lists %q after %q, which is not the order of bytes", e.Key, last.Key)))
						return
					}
				}
				last = e
				if !yield(e, nil) {
					return
				}
			}
			if !aws.ToBool(page.IsTruncated) {
				return
			}
			next := aws.ToString(page.NextContinuationToken)
			if next == "" || next == aws.ToString(token) {
				yield(archive.Entry{}, r.failed(errors.New("the service says that there is more, but not where")))
				return
			}
			token = &next
		}
	}
}

func (b s3Bucket) listPage(ctx context.Context, r request, q archive.Query, token *string) (*s3.ListObjectsV2Output, error) {
	in := &s3.ListObjectsV2Input{
		Bucket:            &b.name,
		EncodingType:      types.EncodingTypeUrl, // XML cannot hold every byte of a key
		ContinuationToken: token,
	}
	if q.Prefix != "" {
		in.Prefix = &q.Prefix
	}
	if q.Delimiter != "" {
		in.Delimiter = &q.Delimiter
	}
	if q.After != "" {
		in.StartAfter = &q.After
	}
	var page *s3.ListObjectsV2Output
	err := b.do(ctx, r, b.name, func(ctx context.Context) (err error) {
		page, err = b.client.ListObjectsV2(ctx, in)
		return err
	})
	return page, err
}

// pageEntries merges a page's two lists into one in the order of the keys.
func pageEntries(page *s3.ListObjectsV2Output) ([]archive.Entry, error) {
	entries := make([]archive.Entry, 0, len(page.Contents)+len(page.CommonPrefixes))
	decode := func(s *string) (string, error) {
		if page.EncodingType != types.EncodingTypeUrl {
			return aws.ToString(s), nil
		}
		key, err := url.QueryUnescape(aws.ToString(s))
		if err != nil {
			return "", fmt.Errorf("key %q: not encoded as the service says", aws.ToString(s))
		}
		return key, nil
	}
	for _, o := range page.Contents {
		key, err := decode(o.Key)
		if err != nil {
			return nil, err
		}
		entries = append(entries, archive.Entry{Key: key, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)})
	}
	for _, p := range page.CommonPrefixes {
		key, err := decode(p.Prefix)
		if err != nil {
			return nil, err
		}
		entries = append(entries, archive.Entry{Key: key, IsPrefix: true})
	}
	slices.SortFunc(entries, func(a, b archive.Entry) int { return strings.Compare(a.Key, b.Key) })
	return entries, nil
}
