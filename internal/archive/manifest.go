package archive

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"napback/internal/cli"
)

const (
	formatName  = "napback-archive"
	formatMajor = "1"
	// maxManifest is the largest manifest that is written, in bytes.
	maxManifest = 16 << 10
	// maxManifestRead leaves room for fields of later versions.
	maxManifestRead = 64 << 10
)

// errFormat: the manifest is of another major version.
var errFormat = errors.New("a format that this version does not know")

// Manifest describes one committed run. It is stored as a JSON object; fields
// that are not known are ignored, so that later versions can add some.
type Manifest struct {
	Format     string            `json:"format"`      // "napback-archive/1"
	Name       string            `json:"name"`        // the archive's name
	Run        Run               `json:"run"`         // the run that this manifest commits
	Host       string            `json:"host"`        // host that stored it
	Created    time.Time         `json:"created"`     // when the run began, UTC
	Committed  time.Time         `json:"committed"`   // when it was committed, UTC
	Tool       string            `json:"tool"`        // program and version that stored it
	Bytes      int64             `json:"bytes"`       // length of the stream
	ChunkBytes int64             `json:"chunk_bytes"` // size of every chunk but the last
	Chunks     int64             `json:"chunks"`      // how many
	Sums       string            `json:"sums"`        // SHA-256 of the SHA256SUMS object, hex
	Tag        string            `json:"tag,omitempty"`
	Parent     Run               `json:"parent,omitempty"`  // the run that this one builds on
	Owner      string            `json:"owner,omitempty"`   // who writes: see CheckOwner
	Meta       map[string]string `json:"meta,omitempty"`    // the caller's
	Recover    string            `json:"recover,omitempty"` // shell command that restores this run with standard tools
}

// maxOwner is the longest owner, in bytes.
const maxOwner = 64

// CheckOwner reports why id cannot be an owner, or nil: 1 to 64 characters of
// A-Z a-z 0-9 _ -. An owner is a random text that a writer keeps; only runs of
// one owner supersede one another, and no owner counts as one too.
func CheckOwner(id string) error {
	strange := func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	}
	if id == "" || len(id) > maxOwner || strings.ContainsFunc(id, strange) {
		return fmt.Errorf("%q is not an owner: want 1 to %d characters of A-Z a-z 0-9 _ -", id, maxOwner)
	}
	return nil
}

// encode returns the manifest as it is stored.
func (m *Manifest) encode() ([]byte, error) {
	var text strings.Builder
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // `recover` is for people to read and paste
	enc.SetIndent("", "  ")
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if text.Len() > maxManifest {
		return nil, fmt.Errorf("manifest: %d bytes, more than %d: the tag or meta values are too long", text.Len(), maxManifest)
	}
	return []byte(text.String()), nil
}

// DecodeManifest parses a manifest and checks that it is consistent. A claim
// is ErrClaimed. Other errors have the code cli.Integrity, except that a
// format of another major version is a plain failure.
func DecodeManifest(data []byte) (*Manifest, error) {
	var head struct {
		Format  string          `json:"format"`
		Claimed json.RawMessage `json:"claimed"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, cli.Errorf(cli.Integrity, "not a manifest: %v", err)
	}
	name, version, _ := strings.Cut(head.Format, "/")
	if name != formatName {
		return nil, cli.Errorf(cli.Integrity, "not a manifest: its format is %q", head.Format)
	}
	if major, _, _ := strings.Cut(version, "."); major != formatMajor {
		return nil, cli.WithHint(fmt.Errorf("%w: %q", errFormat, head.Format),
			"use the version that stored the archive, or a later one; its manifest tells how to restore it with standard tools")
	}
	if head.Claimed != nil {
		return nil, ErrClaimed
	}
	m := new(Manifest)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, cli.Errorf(cli.Integrity, "not a manifest: %v", err)
	}
	if err := m.check(); err != nil {
		return nil, cli.Errorf(cli.Integrity, "inconsistent manifest: %v", err)
	}
	return m, nil
}

// check refuses numbers that cannot belong together.
func (m *Manifest) check() error {
	if err := CheckName(m.Name); err != nil {
		return err
	}
	if _, err := ParseRun(string(m.Run)); err != nil {
		return err
	}
	if m.Parent != "" {
		if _, err := ParseRun(string(m.Parent)); err != nil {
			return fmt.Errorf("parent: %w", err)
		}
	}
	if m.Owner != "" {
		if err := CheckOwner(m.Owner); err != nil {
			return err
		}
	}
	if sum, err := hex.DecodeString(m.Sums); err != nil || len(sum) != 32 {
		return fmt.Errorf("sums %q is not a SHA-256 in hex", m.Sums)
	}
	if m.Bytes < 0 || m.Chunks < 0 || m.ChunkBytes < 1 {
		return errors.New("a negative size")
	}
	want := m.Bytes / m.ChunkBytes
	if m.Bytes%m.ChunkBytes > 0 {
		want++
	}
	if m.Chunks != want {
		return fmt.Errorf("%d chunks of %d bytes do not make %d bytes", m.Chunks, m.ChunkBytes, m.Bytes)
	}
	return nil
}

// chunkSize is the size of chunk number n, in bytes.
func (m *Manifest) chunkSize(n int64) int64 {
	if n == m.Chunks-1 {
		return m.Bytes - n*m.ChunkBytes
	}
	return m.ChunkBytes
}
