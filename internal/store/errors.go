package store

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"

	"napback/internal/archive"
	"napback/internal/cli"
)

// noBucket is the cause of every operation on a bucket that is not there.
func noBucket(name string) error {
	return cli.WithHint(cli.WithCode(cli.NotFound, fmt.Errorf("bucket %q: %w", name, archive.ErrNotExist)),
		"s3ls lists the buckets that there are")
}

// noObject is the cause of an operation on an object that is not there.
func noObject() error { return cli.WithCode(cli.NotFound, archive.ErrNotExist) }

// because wraps a sentinel under a text of its own, where the sentinel's text
// would say less.
type because struct {
	text     string
	sentinel error
}

func (e *because) Error() string { return e.text }
func (e *because) Unwrap() error { return e.sentinel }

// plainCause reduces an error of the operating system or of the network to
// what went wrong, without the call and the path that the caller has named
// already.
func plainCause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return plainCause(e.Err)
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return plainCause(e.Err)
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		return plainCause(e.Err)
	}
	return err
}

// networkCause says what is wrong between here and the service.
func networkCause(err error) error {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		reason := dns.Err
		if dns.IsNotFound {
			reason = "no such host"
		}
		return cli.WithHint(fmt.Errorf("host %q: %s", dns.Name, reason), "check the endpoint and the network")
	}
	op, ok := errors.AsType[*net.OpError](err)
	switch {
	case ok && op.Op == "dial":
		return cli.WithHint(fmt.Errorf("cannot connect to %v: %w", op.Addr, plainCause(op.Err)),
			"check that the service is running and that the endpoint is right")
	case ok && op.Op == "proxyconnect":
		return fmt.Errorf("proxy: %w", networkCause(op.Err))
	case ok:
		return fmt.Errorf("connection broke: %w", plainCause(op.Err))
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		return networkCause(u.Err)
	}
	return fmt.Errorf("connection broke: %s", oneLine(err.Error()))
}

// oneLine makes a text of a service fit for a message: safe for a terminal as
// all others, and no longer than a message, since the service chose its length.
func oneLine(s string) string {
	return cli.Shorten(cli.Safe(strings.Join(strings.Fields(s), " ")), 300)
}

// isFull: the disk, or the user's part of it, has no room. It may have later.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || isQuota(err)
}
