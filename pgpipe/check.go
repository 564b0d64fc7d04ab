package main

import (
	"fmt"
	"io"
	"time"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
)

// checked is what --check says of a recipient. The names of its JSON fields
// are part of the interface.
type checked struct {
	Fingerprint string     `json:"fingerprint"`
	UserID      string     `json:"user_id"`
	Subkey      string     `json:"subkey"`
	Algorithm   string     `json:"algorithm"`
	Expires     *time.Time `json:"expires"` // null: never
}

// runCheck prints every recipient that can be encrypted to, and fails if one
// cannot.
func runCheck(o *options, std cli.Streams, now time.Time) error {
	to, err := loadRecipients(o, now)
	for _, r := range to {
		c := checked{
			Fingerprint: r.fingerprint(),
			UserID:      r.userID,
			Subkey:      fmt.Sprintf("%X", r.subkey.Fingerprint),
			Algorithm:   pgpkey.Algorithm(r.subkey),
		}
		if !r.expires.IsZero() {
			expires := r.expires.UTC()
			c.Expires = &expires
		}
		if failed := c.print(std.Out, o.JSON); failed != nil {
			return failed
		}
	}
	return err
}

func (c checked) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return cli.PrintJSON(w, []checked{c})
	}
	expires := "never"
	if c.Expires != nil {
		expires = pgpkey.Date(*c.Expires)
	}
	return cli.Printf(w, "%s\n  user id    %s\n  encrypts   %s (%s)\n  expires    %s\n",
		c.Fingerprint, c.UserID, c.Subkey, c.Algorithm, expires)
}
