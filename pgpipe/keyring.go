package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// OpenPGP packet types that matter here (RFC 9580, section 5).
const (
	tagSecretKey    = 5
	tagPublicKey    = 6
	tagSecretSubkey = 7
	tagUserID       = 13
	tagPublicSubkey = 14
)

// key is one OpenPGP key of a keyring, with its subkeys and user ids. One that
// the library cannot read is kept too, with the reason, so that the others
// stay usable and asking for this one gives that reason.
type key struct {
	entity      *openpgp.Entity // nil if unreadable
	unreadable  error
	fingerprint string   // of the primary key, upper-case hex; empty if unknown
	prints      []string // the fingerprints of the primary key and its subkeys
	userIDs     []string // as they stand in the file; nothing is verified yet
	secret      bool     // holds a secret primary key or subkey
}

// readKeyFile returns all keys in the file at path, each once.
func readKeyFile(path string) ([]*key, error) {
	data, err := readLimited(path, maxKeyFile)
	if err != nil {
		return nil, err
	}
	return parseKeyFile(path, data)
}

func parseKeyFile(path string, data []byte) ([]*key, error) {
	blocks, err := keyBlocks(data)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", path, err)
	}
	var keys []*key
	for _, block := range blocks {
		more, err := parseKeys(block)
		if err != nil {
			return nil, fmt.Errorf("read %q: damaged after %d keys: %w", path, len(keys), err)
		}
		keys = append(keys, more...)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("read %q: holds no OpenPGP keys", path)
	}
	return mergeKeys(keys), nil
}

// parseKeys splits a sequence of packets at the primary keys and parses each
// key by itself, so that one that is not understood harms no other.
func parseKeys(packets []byte) ([]*key, error) {
	var keys []*key
	var group []*packet.OpaquePacket
	finish := func() {
		if len(group) > 0 {
			keys = append(keys, parseKey(group))
		}
		group = nil
	}
	reader := packet.NewOpaqueReader(bytes.NewReader(packets))
	for {
		p, err := reader.Next()
		if err == io.EOF {
			finish()
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		primary := p.Tag == tagPublicKey || p.Tag == tagSecretKey
		if primary {
			finish()
		}
		if primary || len(group) > 0 {
			group = append(group, p)
		}
	}
}

// parseKey parses the packets of one key.
func parseKey(group []*packet.OpaquePacket) *key {
	k := &key{}
	var packets bytes.Buffer
	for _, p := range group {
		switch p.Tag {
		case tagSecretKey, tagSecretSubkey:
			k.secret = true
		case tagUserID:
			k.userIDs = append(k.userIDs, string(p.Contents))
		}
		if print := packetFingerprint(p); print != "" {
			k.prints = append(k.prints, print)
			if k.fingerprint == "" && (p.Tag == tagPublicKey || p.Tag == tagSecretKey) {
				k.fingerprint = print
			}
		}
		if k.unreadable == nil {
			k.unreadable = p.Serialize(&packets)
		}
	}
	if k.unreadable != nil {
		return k
	}
	k.entity, k.unreadable = openpgp.ReadEntity(packet.NewReader(&packets))
	return k
}

// packetFingerprint returns the fingerprint of a key packet, also of a public
// one whose algorithm is unknown, and nothing for other packets.
func packetFingerprint(p *packet.OpaquePacket) string {
	switch p.Tag {
	case tagPublicKey, tagPublicSubkey:
		if len(p.Contents) > 0 && len(p.Contents) <= 0xFFFF && p.Contents[0] == 4 {
			h := sha1.New()
			h.Write(binary.BigEndian.AppendUint16([]byte{0x99}, uint16(len(p.Contents))))
			h.Write(p.Contents)
			return fmt.Sprintf("%X", h.Sum(nil))
		}
		if parsed, err := p.Parse(); err == nil {
			return fmt.Sprintf("%X", parsed.(*packet.PublicKey).Fingerprint)
		}
	case tagSecretKey, tagSecretSubkey:
		if parsed, err := p.Parse(); err == nil {
			return fmt.Sprintf("%X", parsed.(*packet.PrivateKey).Fingerprint)
		}
	}
	return ""
}

// mergeKeys makes one key of several copies of it, as an import would: what
// one copy says, say a revocation, must not depend on which copy is looked at.
func mergeKeys(keys []*key) []*key {
	var merged []*key
	first := map[string]*key{}
	for _, k := range keys {
		known := first[k.fingerprint]
		if known == nil || k.fingerprint == "" {
			first[k.fingerprint] = k
			merged = append(merged, k)
			continue
		}
		known.merge(k)
	}
	return merged
}

func (k *key) merge(other *key) {
	k.secret = k.secret || other.secret
	k.prints = union(k.prints, other.prints)
	k.userIDs = union(k.userIDs, other.userIDs)
	switch {
	case other.entity == nil:
		return
	case k.entity == nil:
		k.entity, k.unreadable = other.entity, nil
		return
	}
	e, from := k.entity, other.entity
	e.Revocations = append(e.Revocations, from.Revocations...)
	e.DirectSignatures = append(e.DirectSignatures, from.DirectSignatures...)
	for name, id := range from.Identities {
		if known := e.Identities[name]; known != nil {
			known.SelfCertifications = append(known.SelfCertifications, id.SelfCertifications...)
			known.Revocations = append(known.Revocations, id.Revocations...)
			continue
		}
		id.Primary = e
		e.Identities[name] = id
	}
	for _, sub := range from.Subkeys {
		mergeSubkey(e, sub)
	}
}

func mergeSubkey(e *openpgp.Entity, sub openpgp.Subkey) {
	for i := range e.Subkeys {
		known := &e.Subkeys[i]
		if bytes.Equal(known.PublicKey.Fingerprint, sub.PublicKey.Fingerprint) {
			known.Bindings = append(known.Bindings, sub.Bindings...)
			known.Revocations = append(known.Revocations, sub.Revocations...)
			return
		}
	}
	sub.Primary = e
	e.Subkeys = append(e.Subkeys, sub)
}

func union(a, b []string) []string {
	for _, s := range b {
		if !slices.Contains(a, s) {
			a = append(a, s)
		}
	}
	return a
}
