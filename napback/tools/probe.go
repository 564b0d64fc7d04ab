package tools

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	"napback/internal/address"
	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/programs"
)

// Probe is a small archive by which it is found out what credentials allow.
type Probe struct {
	store Store
	data  []byte
	entry catalog.Entry
}

// TryPut stores a small archive as a job's is stored, but under a name that no job
// has: below is what the jobs' names begin with, "" or a path.
func (s Store) TryPut(ctx context.Context, below string) (*Probe, error) {
	name := "napback-check-" + strings.ToLower(rand.Text()[:12])
	if below != "" {
		name = below + "/" + name
	}
	t := &Probe{store: s, data: []byte(rand.Text())}
	args := append(s.set.Flags(config.Put), "--json", "--progress", "never", "--keep", s.set.Bucket+":"+name)
	stage, err := s.stage("s3put", args)
	if err != nil {
		return nil, err
	}
	begun := ""
	c := chain.Chain{Stages: []chain.Stage{stage}, In: bytes.NewReader(t.data), Log: s.log}
	_, err = c.Reading(ctx, func(r io.Reader) error {
		out, err := programs.ReadAll(r, maxLine)
		begun, _, _ = strings.Cut(string(out), "\n")
		return err
	})
	if err != nil {
		return nil, denied(err)
	}
	run, err := s.Begun(begun, name)
	t.entry = catalog.Entry{Bucket: s.set.Bucket, Name: name, Run: run}
	return t, err
}

// maxLine bounds what s3put prints of a small archive.
const maxLine = 64 << 10

// Address is where the archive is.
func (t *Probe) Address() string { return t.entry.Address() }

// Read reads it back, and compares. ErrDenied tells that the credentials cannot.
func (t *Probe) Read(ctx context.Context) error {
	get, err := t.store.Get(t.entry)
	if err != nil {
		return err
	}
	out, _, err := t.store.kit.Output(ctx, get, t.store.log)
	if err == nil && !bytes.Equal(out, t.data) {
		err = cli.Errorf(cli.Integrity, "what was read back is not what was stored")
	}
	return denied(err)
}

// Remove removes it. ErrDenied tells that the credentials cannot.
func (t *Probe) Remove(ctx context.Context) error {
	return t.store.Remove(ctx, []string{t.entry.Name + ":" + t.entry.Run})
}

// Frozen tells that a store of these settings gives nothing back before it was asked
// to thaw it.
func (s Store) Frozen() bool {
	class := s.set.StorageClass()
	return class == "GLACIER" || class == "DEEP_ARCHIVE"
}

// Place names the store: the bucket, and where it is unless that is AWS.
func (s Store) Place() string {
	endpoint := Endpoint(s.set, s.kit.Env)
	if _, err := address.ParseEndpoint(endpoint); err == nil && endpoint != "" { // else there may be a password in it
		return fmt.Sprintf("%s at %s", s.set.Bucket, endpoint)
	}
	return s.set.Bucket
}

// Key is the same for jobs whose archives are in one store, and who come to it in one
// way.
func (s Store) Key() string {
	key := []string{s.set.Bucket, Endpoint(s.set, s.kit.Env)}
	for _, name := range []string{"S3KeyFile", "Profile", "Region", "PathStyle"} {
		key = append(key, s.set.Told[name]...)
		key = append(key, "")
	}
	return fmt.Sprintf("%q", key)
}

// Directory is where the store is, if it is a directory.
func (s Store) Directory() (path string, ok bool) {
	e, err := address.ParseEndpoint(Endpoint(s.set, s.kit.Env))
	return e.Dir, err == nil && e.Dir != ""
}
