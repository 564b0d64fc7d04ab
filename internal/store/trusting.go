package store

import "napback/internal/archive"

// Trusting returns a service of which the buckets show only runs that t
// trusts.
func Trusting(s Service, t archive.Trust) Service { return trusting{s, t} }

type trusting struct {
	Service
	trust archive.Trust
}

// Bucket returns the store of one bucket, seen with trust.
func (s trusting) Bucket(name string) archive.Store {
	return archive.Trusting(s.Service.Bucket(name), s.trust)
}
