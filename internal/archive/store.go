package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"napback/internal/cli"
)

// Errors that a Store wraps, so that callers can branch on them with
// errors.Is.
var (
	// ErrNotExist: no such object or bucket.
	ErrNotExist = errors.New("not found")
	// ErrExist: Put found another object under the key. It is never
	// overwritten.
	ErrExist = errors.New("already exists")
	// ErrPermission: the credentials do not allow the operation. It is
	// permanent: it is not retried. It has the code cli.Denied.
	ErrPermission = cli.WithCode(cli.Denied, errors.New("access denied"))
	// ErrCredentials: the service does not accept the credentials at all.
	// It is also an ErrPermission, but is not told as a denial: nobody
	// means to have such credentials.
	ErrCredentials = cli.WithCode(cli.Failed, fmt.Errorf("%w: the credentials are not accepted", ErrPermission))
	// ErrUnknown: Put failed, but an earlier try of it ended without an
	// answer and may have stored the object. It comes beside the cause.
	ErrUnknown = errors.New("it is not known whether it was stored")
)

// Store is one bucket: immutable objects under keys. Implementations retry
// what is worth retrying; an error that they return is final. All methods are
// safe for concurrent use and return promptly when ctx ends.
type Store interface {
	// Put creates an object. When it returns nil the object is durable
	// and holds exactly obj's bytes. It never overwrites: if the key is
	// taken by other bytes the error wraps ErrExist; if an earlier try of
	// the same Put turns out to have stored them, that is success. An
	// error that does not wrap ErrUnknown, and is ErrExist or
	// ErrPermission, means that this Put has stored nothing.
	Put(ctx context.Context, obj Upload) error

	// Get opens an object for reading and returns its size. Reading goes
	// on over broken connections; the caller closes the reader, which is
	// a Dated.
	Get(ctx context.Context, key string) (body io.ReadCloser, size int64, err error)

	// List yields the entries whose keys begin with q.Prefix in the byte
	// order of their keys, page by page as they are asked for. It ends
	// after the first error.
	List(ctx context.Context, q Query) iter.Seq2[Entry, error]

	// Delete removes objects, in batches where the service can. A key
	// that does not exist is no error.
	Delete(ctx context.Context, keys ...string) error

	// Clock tells the time by the clock that dates the objects: the
	// service's, as its last answer told it, or for a directory the
	// host's. ok is false as long as it is not known, such as before the
	// first answer.
	Clock() (now time.Time, ok bool)
}

// Dated is a reader of an object that knows when the object was stored, by
// the clock of the store; zero if the service does not tell.
type Dated interface {
	io.ReadCloser
	Modified() time.Time
}

// Upload is an object to be stored.
type Upload struct {
	Key    string
	Body   io.ReadSeeker // rewound by the Store for every try
	Size   int64         // bytes in Body
	SHA256 [sha256.Size]byte
	// Bulk marks the data itself, which goes to the storage class that
	// was asked for. The small objects beside it stay in the standard
	// class, because a listing has to read them at once.
	Bulk bool
	// Contended marks a key that somebody else may take too. When an
	// answer was lost, and the key then turns out to be taken by what the
	// credentials may not look at, that is ErrUnknown, not success.
	Contended bool
}

// Query selects entries of a listing.
type Query struct {
	Prefix string
	// Delimiter, if not empty, rolls all keys that share what comes up to
	// and including its first occurrence after Prefix into one entry.
	Delimiter string
	// After, if not empty, leaves out all keys up to and including it.
	After string
}

// Entry is an object or, with a delimiter, a common prefix.
type Entry struct {
	Key      string
	Size     int64     // bytes; 0 for a common prefix
	Modified time.Time // as the service tells it; zero for a common prefix
	IsPrefix bool
}
