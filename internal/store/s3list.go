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
	"napback/internal/cli"
)

func (b s3Bucket) List(ctx context.Context, q archive.Query) iter.Seq2[archive.Entry, error] {
	return func(yield func(archive.Entry, error) bool) {
		l := &listing{bucket: b, query: q, request: request{"list bucket", b.name}, yield: yield}
		if l.startInside(ctx) {
			l.pages(ctx)
		}
	}
}

// listing is one listing under way. Its methods return false when it is over.
type listing struct {
	bucket  s3Bucket
	query   archive.Query
	request request
	yield   func(archive.Entry, error) bool
	begun   bool
	last    archive.Entry // what was yielded last
	entries int
	empty   int // pages in a row that brought nothing
}

// Limits of a listing. A service may send pages without an entry, while it
// walks versions that are deleted.
const (
	maxPage    = 1000       // entries of a page, which is what S3 sends
	maxEmpty   = 10_000     // pages in a row without an entry
	maxEntries = 50_000_000 // entries of a listing
)

func (l *listing) fail(err error) bool {
	l.yield(archive.Entry{}, err)
	return false
}

// startInside deals with an After that is itself inside a common prefix.
// Services disagree whether the keys behind it still count for that prefix,
// so they are asked for without a delimiter.
func (l *listing) startInside(ctx context.Context) bool {
	q := l.query
	rest, inside := strings.CutPrefix(q.After, q.Prefix)
	if q.Delimiter == "" || !inside {
		return true
	}
	i := strings.Index(rest, q.Delimiter)
	if i < 0 {
		return true
	}
	group := q.After[:len(q.Prefix)+i+len(q.Delimiter)]
	page, err := l.bucket.listPage(ctx, l.request, archive.Query{Prefix: group, After: q.After}, nil, 1)
	if err != nil {
		return l.fail(err)
	}
	l.begun, l.last = true, archive.Entry{Key: group, IsPrefix: true}
	return len(page.Contents) == 0 || l.yield(l.last, nil)
}

// pages yields the entries of one page after the other.
func (l *listing) pages(ctx context.Context) bool {
	var token *string
	for {
		page, err := l.bucket.listPage(ctx, l.request, l.query, token, 0)
		if err != nil {
			return l.fail(err)
		}
		entries, err := pageEntries(page)
		if err != nil {
			return l.fail(l.request.failed(err))
		}
		if l.empty++; l.empty > maxEmpty {
			return l.fail(l.request.failed(fmt.Errorf("%d pages in a row without an entry", maxEmpty)))
		}
		for _, e := range entries {
			if !l.entry(e) {
				return false
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return true
		}
		next := aws.ToString(page.NextContinuationToken)
		if next == "" || next == aws.ToString(token) {
			return l.fail(l.request.failed(errors.New("the service says that there is more, but not where")))
		}
		token = &next
	}
}

// entry yields an entry, unless it is a common prefix that some services
// repeat on the next page. What relies on the order must not be led to
// overlook an archive, nor what deletes to other keys than were asked for: a
// service with another order or other keys is an error.
func (l *listing) entry(e archive.Entry) bool {
	if l.begun && e.IsPrefix && e.Key == l.last.Key {
		return true
	}
	if l.begun && e.Key <= l.last.Key {
		return l.fail(l.request.failed(fmt.Errorf("the service lists %q after %q, which is not the order of bytes", oneLine(e.Key), oneLine(l.last.Key))))
	}
	if why := foreign(l.query, e); why != "" {
		return l.fail(l.request.failed(fmt.Errorf("the service lists %q, %s", oneLine(e.Key), why)))
	}
	if l.entries++; l.entries > maxEntries {
		return l.fail(l.request.failed(cli.WithHint(fmt.Errorf("more than %d entries", maxEntries), "list a longer prefix")))
	}
	l.begun, l.last, l.empty = true, e, 0
	return l.yield(e, nil)
}

// foreign says why an entry cannot be an answer to the query, or "".
func foreign(q archive.Query, e archive.Entry) string {
	rest, inside := strings.CutPrefix(e.Key, q.Prefix)
	switch {
	case e.Key == "":
		return "an empty key"
	case !inside:
		return fmt.Sprintf("which does not begin with %q", oneLine(q.Prefix))
	case e.Size < 0:
		return "with a negative size"
	case e.IsPrefix && (q.Delimiter == "" || strings.Index(rest, q.Delimiter) != len(rest)-len(q.Delimiter)):
		return "which is no common prefix"
	case !e.IsPrefix && q.Delimiter != "" && strings.Contains(rest, q.Delimiter):
		return fmt.Sprintf("which has a %q behind the prefix", q.Delimiter)
	case q.After != "" && e.Key <= q.After:
		return fmt.Sprintf("which is not behind %q", oneLine(q.After))
	}
	return ""
}

// listPage asks for one page, of at most most entries if that is not 0.
func (b s3Bucket) listPage(ctx context.Context, r request, q archive.Query, token *string, most int32) (*s3.ListObjectsV2Output, error) {
	in := &s3.ListObjectsV2Input{
		Bucket:            &b.name,
		EncodingType:      types.EncodingTypeUrl, // XML cannot hold every byte of a key
		ContinuationToken: token,
	}
	if most > 0 {
		in.MaxKeys = &most
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
	if n := len(page.Contents) + len(page.CommonPrefixes); n > maxPage {
		return nil, fmt.Errorf("the service lists %d entries at once, more than %d", n, maxPage)
	}
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
