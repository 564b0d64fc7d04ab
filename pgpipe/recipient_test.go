package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"napback/internal/cli"
	"napback/internal/sign/pgpkey"
)

// refuse checks that pgpipe fails with the status and all of the texts on
// stderr, has read nothing and written nothing.
func refuse(t *testing.T, status int, args []string, texts ...string) {
	t.Helper()
	in := &recordingReader{r: strings.NewReader("data")}
	r := pgpipe(t, in, args...)
	if r.status != status {
		t.Errorf("%q: status %d, want %d\n%s", args, r.status, status, r.stderr)
	}
	for _, text := range texts {
		if !strings.Contains(r.stderr, text) {
			t.Errorf("%q: stderr does not say %q:\n%s", args, text, r.stderr)
		}
	}
	if in.reads > 0 || len(r.stdout) > 0 {
		t.Errorf("%q: %d reads of stdin, %d bytes of stdout", args, in.reads, len(r.stdout))
	}
}

func TestUnusableRecipientsAreRefusedBeforeTheFirstByte(t *testing.T) {
	g, prints := zoo()
	for name, reason := range map[string]string{
		"expired":    "expired on 2020-12-31",
		"future":     "is not valid before 2040-01-01",
		"signonly":   "has no encryption subkey",
		"weak":       "is an RSA key of 1024 bits; 2048 or more are needed",
		"dsa":        "uses dsa1024",
		"revoked":    "was revoked on " + time.Now().UTC().Format("2006-"),
		"revokedsub": "was revoked on " + time.Now().UTC().Format("2006-"),
		"expiredsub": "expired on 2020-12-31",
	} {
		print, file := prints[name], g.File(t, g.GPG(t, nil, "--export", prints[name]))
		for _, args := range [][]string{
			{"--keyring", zooRing(), "-r", name + "@example.org"},
			{"--keyring", zooRing(), "-r", print},
			{"--keyring", zooRing(), "-r", print[24:]},
			{"-R", file},
			{"-R", file, "-r", print},
		} {
			refuse(t, cli.Failed, args, reason, print)
			// One bad recipient of two refuses both.
			if args[0] == "--keyring" {
				refuse(t, cli.Failed, append(args, "-r", prints["good"]), reason, print)
			}
		}
		// gpg agrees that it cannot be used.
		if _, _, err := g.Try([]byte("x"), "-e", "-r", print); err == nil && name != "weak" {
			t.Errorf("%s: gpg encrypts to it", name)
		}
	}
}

func TestARevokedUserIDNamesNobody(t *testing.T) {
	g, prints := zoo()
	print := prints["revokeduid"]
	refuse(t, cli.Failed, []string{"--keyring", zooRing(), "-r", "revokeduid@example.org"}, print, "revoked")
	mustPgpipe(t, nil, "--keyring", zooRing(), "-r", "kept@example.org")
	r := pgpipe(t, strings.NewReader(""), "--check", "--keyring", zooRing(), "-r", print)
	if r.status != cli.OK || !strings.Contains(string(r.stdout), "Kept <kept@example.org>") {
		t.Errorf("status %d, %s%s", r.status, r.stdout, r.stderr)
	}
	skip := false
	onlyRevoked := g.File(t, editPackets(t, g.GPG(t, nil, "--export", print), func(p *packet.OpaquePacket) []*packet.OpaquePacket {
		const tagSignature = 2
		skip = p.Tag == pgpkey.TagUserID && strings.HasPrefix(string(p.Contents), "Kept") || skip && p.Tag == tagSignature
		if skip {
			return nil
		}
		return []*packet.OpaquePacket{p}
	}))
	refuse(t, cli.Failed, []string{"-R", onlyRevoked}, "has only revoked user ids")
}

func TestUnknownAndAmbiguousRecipientsListTheCandidates(t *testing.T) {
	_, prints := zoo()
	ring := []string{"--keyring", zooRing()}
	for _, unknown := range []string{
		"nobody@example.org", "ood@example.org", "good@example.or", "good@example.org.example.net",
		"0123456789ABCDEF0123456789ABCDEF01234567", "01234567", "89ABCDEF01234567",
	} {
		refuse(t, cli.NotFound, append(ring, "-r", unknown), "no such key", prints["good"], "Some good <good@example.org>")
		refuse(t, cli.NotFound, append(ring, "-r", unknown, "-r", prints["good"]), "no such key")
	}
	refuse(t, cli.NotFound, append(ring, "-r", "twice@example.org"), "ambiguous", prints["twice"], prints["twice, the other"],
		"Other <twice@example.org>: usable", "hint: name the key by its fingerprint")
	// Several errors are all told, and the code is that of the unknown one.
	// A whole user id matches exactly, or its address tells what there is.
	for id, print := range map[string]string{"Some good <good@example.org>": prints["good"],
		"Some twice <twice@example.org>": prints["twice"], "Other <twice@example.org>": prints["twice, the other"]} {
		r := pgpipe(t, strings.NewReader(""), append(ring, "--check", "-r", id)...)
		if r.status != cli.OK || !strings.HasPrefix(string(r.stdout), print) {
			t.Errorf("%q: status %d, %s%s", id, r.status, r.stdout, r.stderr)
		}
	}
	refuse(t, cli.Failed, append(ring, "-r", "Some revokeduid <revokeduid@example.org>"), "revoked")
	for _, other := range []string{"Some <good@example.org>", "some good <good@example.org>", "Some good <GOOD@example.org>", "Some good (x) <good@example.org>"} {
		refuse(t, cli.NotFound, append(ring, "-r", other), "no such key", "the address good@example.org alone names "+prints["good"])
	}
	refuse(t, cli.NotFound, append(ring, "-r", "Nobody <nobody@example.org>"), "no such key", "the keyring holds")
	refuse(t, cli.NotFound, append(ring, "-r", "expired@example.org", "-r", "nobody@example.org"), "expired on", "no such key")
}

func TestRecipientsAreFoundByEveryName(t *testing.T) {
	g, prints := zoo()
	good := prints["good"]
	sub := g.Prints(t, "="+"Some good <good@example.org>")[1]
	for _, name := range []string{
		good, strings.ToLower(good), "0x" + good, good[24:], "0x" + good[24:], good[32:],
		"good@example.org", "<good@example.org>", "GOOD@Example.ORG", sub, sub[24:], sub + "!",
		fmt.Sprintf("%s %s  %s", good[:4], good[4:20], good[20:]),
	} {
		sealed := mustPgpipe(t, []byte("hello"), "--keyring", zooRing(), "-r", name)
		if got := g.GPG(t, sealed, "-d"); string(got) != "hello" {
			t.Errorf("%s: got %q", name, got)
		}
	}
	refuse(t, cli.Failed, []string{"--keyring", zooRing(), "-r", good + "!"}, "is not an encryption key")
}

func TestAnExpiredKeyOfTheAddressIsPassedOverAndTold(t *testing.T) {
	_, prints := zoo()
	r := pgpipe(t, strings.NewReader("x"), "--keyring", zooRing(), "-r", "renewed@example.org")
	if r.status != cli.OK || !strings.Contains(r.stderr, "note: encrypting to "+prints["renewed, the new one"]) ||
		!strings.Contains(r.stderr, prints["renewed"]) {
		t.Errorf("status %d, %s", r.status, r.stderr)
	}
}

func TestTheNewestValidSubkeyIsUsedAsByGPG(t *testing.T) {
	g, prints := zoo()
	subkeys := g.Prints(t, "="+"Some multi <multi@example.org>")
	sealed := mustPgpipe(t, []byte("hello"), "--keyring", zooRing(), "-r", prints["multi"])
	theirs := g.GPG(t, []byte("hello"), "-e", "-r", prints["multi"])
	for _, message := range [][]byte{sealed, theirs} {
		if p, err := packet.Read(bytes.NewReader(message)); err != nil || fmt.Sprintf("%016X", p.(*packet.EncryptedKey).KeyId) != subkeys[3][24:] {
			t.Errorf("not encrypted to the newest subkey: %v", err)
		}
	}
	forced := mustPgpipe(t, []byte("hello"), "--keyring", zooRing(), "-r", subkeys[2]+"!")
	if p, err := packet.Read(bytes.NewReader(forced)); err != nil || fmt.Sprintf("%016X", p.(*packet.EncryptedKey).KeyId) != subkeys[2][24:] {
		t.Errorf("! does not force the subkey: %v", err)
	}
	refuse(t, cli.Failed, []string{"--keyring", zooRing(), "-r", subkeys[1] + "!"}, "expired on 2020-12-31")
}

func TestDuplicateRecipientsCollapse(t *testing.T) {
	g, keys := commonKeys()
	k := keys[2]
	args := []string{"-R", k.public, "-R", k.public, "-r", k.fingerprint, "-r", k.name + "@example.org", "-r", k.fingerprint[24:]}
	listing := string(g.GPG(t, mustPgpipe(t, []byte("x"), args...), "--list-packets"))
	if n := strings.Count(listing, ":pubkey enc packet:"); n != 1 {
		t.Errorf("%d session keys for one recipient", n)
	}
}

func TestARevocationInOneCopyOfAKeyCounts(t *testing.T) {
	g, prints := zoo()
	revoked := g.GPG(t, nil, "--export", prints["revoked"])
	before := g.File(t, withoutRevocations(t, revoked))
	mustPgpipe(t, []byte("x"), "-R", before) // it would be usable
	refuse(t, cli.Failed, []string{"-R", before, "-R", g.File(t, revoked)}, "was revoked")
	refuse(t, cli.Failed, []string{"-R", g.File(t, revoked), "-R", before}, "was revoked")
	refuse(t, cli.Failed, []string{"-R", before, "-R", g.File(t, revoked), "-r", prints["revoked"]}, "was revoked")
	refuse(t, cli.Failed, []string{"--keyring", g.File(t, append(withoutRevocations(t, revoked), revoked...)), "-r", prints["revoked"]}, "was revoked")
}

// withoutRevocations drops the revocation signatures of a primary key.
func withoutRevocations(t *testing.T, export []byte) []byte {
	t.Helper()
	return editPackets(t, export, func(p *packet.OpaquePacket) []*packet.OpaquePacket {
		if parsed, err := p.Parse(); err == nil {
			if sig, ok := parsed.(*packet.Signature); ok && sig.SigType == packet.SigTypeKeyRevocation {
				return nil
			}
		}
		return []*packet.OpaquePacket{p}
	})
}

// editPackets replaces every packet by what edit returns for it.
func editPackets(t *testing.T, data []byte, edit func(*packet.OpaquePacket) []*packet.OpaquePacket) []byte {
	t.Helper()
	var out bytes.Buffer
	reader := packet.NewOpaqueReader(bytes.NewReader(data))
	for {
		p, err := reader.Next()
		if err != nil {
			return out.Bytes()
		}
		for _, q := range edit(p) {
			if err := q.Serialize(&out); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAUserIDWithoutItsOwnSelfSignatureNamesNobody(t *testing.T) {
	g, keys := commonKeys()
	data, err := os.ReadFile(keys[2].public)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody adds an address to a key that is not his, under a signature
	// that belongs to another user id.
	forged := g.File(t, editPackets(t, data, func(p *packet.OpaquePacket) []*packet.OpaquePacket {
		if p.Tag != pgpkey.TagUserID {
			return []*packet.OpaquePacket{p}
		}
		return []*packet.OpaquePacket{{Tag: pgpkey.TagUserID, Contents: []byte("Victim <victim@example.org>")}}
	}))
	refuse(t, cli.Failed, []string{"-R", forged, "-r", "victim@example.org"}, "self-signature")
	refuse(t, cli.Failed, []string{"-R", forged}, "self-signature")
}

func TestAForeignSubkeyNamesNobody(t *testing.T) {
	g, keys := commonKeys()
	victim, attacker := keys[2], keys[0]
	var stolen []*packet.OpaquePacket
	data, err := os.ReadFile(victim.public)
	if err != nil {
		t.Fatal(err)
	}
	editPackets(t, data, func(p *packet.OpaquePacket) []*packet.OpaquePacket {
		if p.Tag == pgpkey.TagPublicSubkey || len(stolen) > 0 {
			stolen = append(stolen, p) // the subkey and its binding to the victim's key
		}
		return nil
	})
	forged, err := os.ReadFile(attacker.public)
	if err != nil {
		t.Fatal(err)
	}
	buffer := bytes.NewBuffer(forged)
	for _, p := range stolen {
		if err := p.Serialize(buffer); err != nil {
			t.Fatal(err)
		}
	}
	file, sub := g.File(t, buffer.Bytes()), g.Prints(t, "="+victim.userID)[1]
	for _, name := range []string{sub, sub[24:], sub + "!"} {
		refuse(t, cli.Failed, []string{"-R", file, "-r", name}, "valid binding signature")
		// The victim's own key is still found by it.
		mustPgpipe(t, nil, "-R", file, "-R", victim.public, "-r", name)
	}
}

func TestAnUnreadableKeyHarmsOnlyItself(t *testing.T) {
	g, keys := commonKeys()
	good, bad := keys[2], keys[0]
	data, err := os.ReadFile(bad.public)
	if err != nil {
		t.Fatal(err)
	}
	const algorithmAt = 5 // in a version 4 key packet
	unknown := editPackets(t, data, func(p *packet.OpaquePacket) []*packet.OpaquePacket {
		if p.Tag == pgpkey.TagPublicKey {
			p.Contents[algorithmAt] = 99
		}
		return []*packet.OpaquePacket{p}
	})
	goodData, err := os.ReadFile(good.public)
	if err != nil {
		t.Fatal(err)
	}
	ring := g.File(t, append(unknown, goodData...))
	if got := mustPgpipe(t, mustPgpipe(t, []byte("x"), "--keyring", ring, "-r", good.fingerprint), "-d", "-k", good.secret); string(got) != "x" {
		t.Errorf("got %q", got)
	}
	refuse(t, cli.Failed, []string{"--keyring", ring, "-r", bad.name + "@example.org"}, "cannot be read")
	refuse(t, cli.Failed, []string{"-R", ring}, "cannot be read")
}

func TestExpiredAndRevokedKeysStillOpenOldMessages(t *testing.T) {
	g, prints := zoo()
	for _, name := range []string{"expired", "revoked", "revokedsub", "expiredsub"} {
		_, secret := g.export(t, prints[name], "")
		ring := ringOf(t, g, prints[name])
		entity := mustEntity(t, ring)
		to := &recipient{primary: entity.PrimaryKey, subkey: entity.Subkeys[0].PublicKey}
		var sealed bytes.Buffer
		m := message{to: []*recipient{to}}
		if err := m.encrypt(&sealed, strings.NewReader("old")); err != nil {
			t.Fatal(err)
		}
		if got := mustPgpipe(t, sealed.Bytes(), "-d", "-k", secret); string(got) != "old" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// ringOf reads one key of a home.
func ringOf(t *testing.T, g *gnupg, print string) *key {
	t.Helper()
	keys, err := parseKeyFile("export", g.GPG(t, nil, "--export", print))
	if err != nil || len(keys) != 1 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	return keys[0]
}

func TestSecretKeysAreNotTakenForRecipients(t *testing.T) {
	_, keys := commonKeys()
	refuse(t, cli.Failed, []string{"-R", keys[2].secret}, "it holds a secret key", "gpg --export KEY")
}

func TestCheckTellsKeyAndExpiry(t *testing.T) {
	g, prints := zoo()
	_, keys := commonKeys()
	in := &recordingReader{r: strings.NewReader("")}
	r := pgpipe(t, in, "--check", "--keyring", zooRing(), "-r", "good@example.org", "-r", "expired@example.org", "-r", "nobody@example.org")
	sub := g.Prints(t, "="+"Some good <good@example.org>")[1]
	want := prints["good"] + "\n  user id    Some good <good@example.org>\n  encrypts   " + sub + " (cv25519)\n  expires    never\n"
	if string(r.stdout) != want || r.status != cli.NotFound || in.reads > 0 {
		t.Errorf("status %d, %d reads, stdout:\n%swant:\n%s%s", r.status, in.reads, r.stdout, want, r.stderr)
	}
	r = pgpipe(t, in, "--check", "--json", "-R", keys[0].public)
	var got checked
	if err := json.Unmarshal(r.stdout, &got); err != nil || r.status != cli.OK {
		t.Fatalf("%v, status %d, %s", err, r.status, r.stdout)
	}
	year := time.Now().AddDate(1, 0, 0)
	if got.Fingerprint != keys[0].fingerprint || got.Algorithm != "rsa3072" || got.UserID != keys[0].userID ||
		got.Expires == nil || got.Expires.Sub(year).Abs() > 48*time.Hour {
		t.Errorf("got %s", r.stdout)
	}
}

// mustEntity parses a key.
func mustEntity(t testing.TB, k *key) *openpgp.Entity {
	t.Helper()
	e, err := k.entity()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestKeyringsWithSecretKeysAreRefusedForEncryption: the host that makes
// backups is not to hold what opens them.
func TestKeyringsWithSecretKeysAreRefusedForEncryption(t *testing.T) {
	g, keys := commonKeys()
	k, other := keys[2], keys[0]
	both := g.File(t, append(g.GPG(t, nil, "--export", k.fingerprint), g.GPG(t, nil, "--export-secret-keys", other.fingerprint)...))
	subkeys := g.File(t, g.GPG(t, nil, "--export-secret-subkeys", k.fingerprint))
	for _, path := range []string{k.secret, both, subkeys} {
		for _, args := range [][]string{
			{"--keyring", path, "-r", k.fingerprint}, {"-R", path}, {"-R", path, "-r", k.fingerprint}, {"--check", "--keyring", path, "-r", k.fingerprint},
		} {
			refuse(t, cli.Failed, args, "it holds a secret key", "gpg --export KEY > recipient.pgp")
		}
	}
	mustPgpipe(t, nil, "--keyring", g.path("pubring.kbx"), "-r", k.fingerprint)
}
