package archive

import "io"

// countedBody tells of the bytes of an upload as a Store reads them, which it does as
// they are sent. What is read again, for another try, is taken back first.
type countedBody struct {
	io.ReadSeeker
	moved func(n int64)
	at    int64
}

func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	c.to(c.at + int64(n))
	return n, err
}

func (c *countedBody) Seek(offset int64, whence int) (int64, error) {
	at, err := c.ReadSeeker.Seek(offset, whence)
	if err == nil {
		c.to(at)
	}
	return at, err
}

// to tells that the bytes up to a place have been moved.
func (c *countedBody) to(at int64) {
	if at != c.at {
		c.moved(at - c.at)
	}
	c.at = at
}

// countedWriter tells of the bytes that are written to it.
type countedWriter func(n int64)

func (c countedWriter) Write(p []byte) (int, error) {
	c(int64(len(p)))
	return len(p), nil
}
