package archive

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	Committed  time.Time         `json:"committed"`   // when it was committed, UTC, by the host's clock
	Tool       string            `json:"tool"`        // program and version that stored it
	Bytes      int64             `json:"bytes"`       // length of the stream
	ChunkBytes int64             `json:"chunk_bytes"` // size of every chunk but the last
	Chunks     int64             `json:"chunks"`      // how many
	Sums       string            `json:"sums"`        // SHA-256 of the SHA256SUMS object, hex
	Tag        string            `json:"tag,omitempty"`
	Meta       map[string]string `json:"meta,omitempty"`    // the caller's
	Recover    string            `json:"recover,omitempty"` // shell command that restores this run with standard tools
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

// DecodeManifest parses a manifest and checks that it is consistent. Errors
// have the code cli.Integrity, except that a format of another major version
// is a plain failure.
func DecodeManifest(data []byte) (*Manifest, error) {
	var head struct {
		Format string `json:"format"`
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

// ReadManifest reads the manifest that commits a run. The error wraps
// ErrNotExist if there is none.
func ReadManifest(ctx context.Context, st Store, name string, run Run) (*Manifest, error) {
	key := manifestKey(name, run)
	data, err := readSmall(ctx, st, key, maxManifestRead)
	if err != nil {
		return nil, err
	}
	m, err := DecodeManifest(data)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", key, err)
	}
	if m.Name != name || m.Run != run {
		return nil, cli.Errorf(cli.Integrity, "read %q: it is the manifest of %q", key, m.Name+":"+string(m.Run))
	}
	return m, nil
}

// readSmall reads a whole object that is at most limit bytes long.
func readSmall(ctx context.Context, st Store, key string, limit int64) ([]byte, error) {
	body, size, err := st.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if size > limit {
		return nil, cli.Errorf(cli.Integrity, "read %q: %d bytes, more than the %d that it can have", key, size, limit)
	}
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != size {
		return nil, cli.Errorf(cli.Integrity, "read %q: %d bytes of %d", key, len(data), size)
	}
	return data, nil
}
