package main

import (
	"bytes"
	"os"
	"sync"
)

// zoo is a keyring with one good key and every kind of unusable one. A key's
// name is the local part of its address.
var zoo = sync.OnceValues(func() (*gnupg, map[string]string) {
	g := lastingHome()
	t := onceTB{}
	prints := map[string]string{}
	add := func(name, primary, sub, expire string, opts ...string) string {
		prints[name] = g.generate(t, "Some "+name+" <"+name+"@example.org>", primary, sub, expire, "", opts...)
		return prints[name]
	}
	past, future := "--faked-system-time=20200101T000000!", "--faked-system-time=20400101T000000!"
	edit := func(print, commands string) {
		g.GPG(t, []byte(commands), "--no-batch", "--command-fd", "0", "--edit-key", print)
	}
	add("good", "ed25519", "cv25519", "never")
	add("expired", "ed25519", "cv25519", "1y", past)
	add("future", "ed25519", "cv25519", "never", future)
	add("signonly", "ed25519", "", "never")
	add("weak", "rsa1024", "rsa1024", "never")
	add("dsa", "dsa1024", "", "never")
	revoked := add("revoked", "ed25519", "cv25519", "never")
	certificate, err := os.ReadFile(g.path("openpgp-revocs.d/" + revoked + ".rev"))
	if err != nil {
		panic(err)
	}
	g.GPG(t, bytes.Replace(certificate, []byte(":-----BEGIN"), []byte("-----BEGIN"), 1), "--import")
	edit(add("revokedsub", "ed25519", "cv25519", "never"), "key 1\nrevkey\ny\n0\n\ny\nsave\n")
	expiredSub := add("expiredsub", "ed25519", "", "never", past)
	g.GPG(t, nil, past, "--passphrase", "", "--quick-add-key", expiredSub, "cv25519", "encr", "1y")
	twoIDs := add("revokeduid", "ed25519", "cv25519", "never")
	g.GPG(t, nil, "--quick-add-uid", twoIDs, "Kept <kept@example.org>")
	g.GPG(t, nil, "--quick-revoke-uid", twoIDs, "Some revokeduid <revokeduid@example.org>")
	// Two keys of one address, both usable; and two of which one has expired.
	add("twice", "ed25519", "cv25519", "never")
	other := g.generate(t, "Other <twice@example.org>", "ed25519", "cv25519", "never", "")
	prints["twice, the other"] = other
	add("renewed", "ed25519", "cv25519", "1y", past)
	prints["renewed, the new one"] = g.generate(t, "Renewed <renewed@example.org>", "ed25519", "cv25519", "never", "")
	// A key with several encryption subkeys: expired, older, newest.
	multi := add("multi", "ed25519", "", "never", past)
	g.GPG(t, nil, past, "--passphrase", "", "--quick-add-key", multi, "cv25519", "encr", "1y")
	g.GPG(t, nil, "--faked-system-time=20210101T000000!", "--passphrase", "", "--quick-add-key", multi, "rsa2048", "encr", "never")
	g.GPG(t, nil, "--faked-system-time=20220101T000000!", "--passphrase", "", "--quick-add-key", multi, "cv25519", "encr", "never")
	return g, prints
})

// zooRing is the zoo's keyring file.
func zooRing() string { g, _ := zoo(); return g.path("pubring.kbx") }
