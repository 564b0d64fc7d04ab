package store

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// serviceClock is the service's clock, as the Date header of its last answer
// tells it, carried on by this host's monotonic clock: a host whose own clock
// is set meanwhile still knows it. Its methods are safe for concurrent use.
type serviceClock struct {
	mu   sync.Mutex
	date time.Time // in the last answer that had one
	seen time.Time // when that answer came, with its monotonic reading
}

// note takes the Date header of an answer that has just come.
func (c *serviceClock) note(date string) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.date, c.seen = at, time.Now()
}

// now tells the time. ok is false before the first answer, and when no answer
// has a date.
func (c *serviceClock) now() (now time.Time, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.date.IsZero() {
		return time.Time{}, false
	}
	return c.date.Add(time.Since(c.seen)).UTC(), true
}

// listen makes a client's answers known to the clock, those that are errors
// too.
func (c *serviceClock) listen(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("ServiceClock",
		func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleDeserialize(ctx, in)
			if answer, ok := out.RawResponse.(*smithyhttp.Response); ok && answer != nil && answer.Response != nil {
				c.note(answer.Header.Get("Date"))
			}
			return out, metadata, err
		}), middleware.After)
}

func (b s3Bucket) Clock() (time.Time, bool) { return b.clock.now() }

// Clock implements archive.Store: a directory has the host's clock, which is
// also what dates its files.
func (b dirBucket) Clock() (time.Time, bool) { return time.Now().UTC(), true }
