package logging

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// syslogDeadline bounds a write: a syslog that is stopped while its socket
// stays open blocks its writers for ever.
const syslogDeadline = 2 * time.Second

// daemon is the facility of system services, from RFC 3164, section 4.1.1.
const daemon = 3 << 3

// syslog speaks the local form of RFC 3164, without a host's name. The standard
// library's log/syslog cannot take its place: it knows no deadline.
type syslog struct {
	paths []string
	conn  net.Conn // nil if not connected
}

func newSyslog(paths []string) *syslog {
	if paths == nil {
		paths = []string{"/dev/log", "/var/run/syslog", "/var/run/log"}
	}
	return &syslog{paths: paths}
}

// write sends a line, without its stamp, since syslog notes time and level. If
// the connection is broken, because syslog was started anew, it is made again
// once.
func (s *syslog) write(level slog.Level, _, line string) error {
	message := fmt.Appendf(nil, "<%d>%s napback[%d]: %s", daemon|severity(level), time.Now().Format(time.Stamp), os.Getpid(), line)
	if s.conn != nil {
		err := s.send(message)
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
	if err := s.connect(); err != nil {
		return err
	}
	return s.send(message)
}

func (s *syslog) send(message []byte) error {
	if s.conn.RemoteAddr().Network() != "unix" { // of a stream the line's end is the message's
		message = message[:len(message)-1]
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(syslogDeadline))
	_, err := s.conn.Write(message)
	if err != nil {
		s.conn.Close()
		s.conn = nil
	}
	return err
}

func (s *syslog) connect() error {
	refused := fmt.Errorf("nothing listens at %s", strings.Join(s.paths, ", "))
	for _, path := range s.paths {
		for _, network := range []string{"unixgram", "unix"} {
			conn, err := net.DialTimeout(network, path, syslogDeadline)
			if err == nil {
				s.conn = conn
				return nil
			}
			// The other type of socket is no news.
			if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.EPROTOTYPE) {
				refused = err
			}
		}
	}
	return refused
}

// Close closes the connection.
func (s *syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	return s.conn.Close()
}

// severity is RFC 3164's, section 4.1.1.
func severity(level slog.Level) int {
	switch {
	case level >= slog.LevelError:
		return 3
	case level >= slog.LevelWarn:
		return 4
	case level >= slog.LevelInfo:
		return 6
	}
	return 7
}
