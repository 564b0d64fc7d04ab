package tar

import (
	"bufio"
	"context"
	"io"
	"strings"

	"napback/napback/chain"
	"napback/napback/source"
)

// Listing is tar as a stage that prints, for Names, what it would store of a job's
// source now. It reads no contents.
func Listing(ctx context.Context, host source.Host, job source.Job) (chain.Stage, error) {
	from, err := open(ctx, host, job)
	if err != nil {
		return chain.Stage{}, err
	}
	d := from.(*directory)
	// An archive in /dev/null is one that tar knows it need not write.
	args := append([]string{"--create", "--file=/dev/null", "--verbose", "--show-transformed-names", "--no-unquote", "--quoting-style=escape", "--warning=none"}, d.told...)
	s := host.Kit.Stage("tar", d.program, append(args, "-C", "/", "--", d.member))
	s.Accept = func(chain.Status) bool { return true } // what it cannot read is no concern of who compares
	return s, nil
}

// Names reads what Listing prints, and calls each with the names as restores know
// them.
func Names(r io.Reader, each func(name string) error) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return nil // a name without its end is not one
		}
		if err != nil {
			return err
		}
		if err := each(Listed(unescape(strings.TrimSuffix(line, "\n")))); err != nil {
			return err
		}
	}
}
