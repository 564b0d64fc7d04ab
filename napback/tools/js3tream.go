package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"napback/napback/config"
)

// maxOldNames is how many names of js3tream's archives are read. A rotation of
// s3napback has some dozens for each job.
const maxOldNames = 10_000

// Js3treamNames lists the names, up to a bound, of the archives in the bucket that
// js3tream stored and that begin with exactly prefix. It is one cheap listing.
func (s Store) Js3treamNames(ctx context.Context, prefix string) (names []string, err error) {
	args := append(s.Js3treamFlags(), "--json", "--js3tream", "--names", s.set.Bucket+":"+prefix)
	stage, err := s.stage("s3ls", args)
	if err != nil {
		return nil, err
	}
	_, err = s.kit.Reading(ctx, stage, s.log, func(r io.Reader) error {
		in := json.NewDecoder(r)
		for len(names) < maxOldNames {
			var line struct {
				Key string `json:"key"`
			}
			if err := in.Decode(&line); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("read what s3ls says: %w", err)
			}
			names = append(names, line.Key)
		}
		return nil
	})
	return names, denied(err)
}

// Js3treamFlags are what s3ls and s3get are told to reach the store. Archives of
// js3tream have no signatures.
func (s Store) Js3treamFlags() (flags []string) {
	all := s.set.Flags(config.List)
	for i := 0; i < len(all); i++ {
		switch all[i] {
		case "--verify-key":
			i++
		case "--accept-unsigned":
		default:
			flags = append(flags, all[i])
		}
	}
	return flags
}
