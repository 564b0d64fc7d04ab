package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// signingKey is a key that GnuPG has made, exported.
type signingKey struct {
	*tooltest.GnuPG
	fingerprint, public, secret string
}

func newSigningKey(t *testing.T, passphrase string) signingKey {
	t.Helper()
	k := signingKey{GnuPG: tooltest.GnuPGHome(t)}
	k.GPG(t, nil, "--passphrase", passphrase, "--quick-generate-key", "backup@example.org", "ed25519", "sign,cert", "never")
	k.fingerprint = k.Prints(t, "backup@example.org")[0]
	k.public = k.File(t, k.GPG(t, nil, "--export"))
	k.secret = k.File(t, k.GPG(t, nil, "--passphrase", passphrase, "--export-secret-keys"))
	return k
}

// stores runs a test on a directory and on a server.
func stores(t *testing.T, test func(*testing.T, tooltest.Store)) {
	t.Run("file", func(t *testing.T) { test(t, tooltest.File(t)) })
	t.Run("versitygw", func(t *testing.T) {
		server := storetest.Versitygw(t)
		test(t, tooltest.Server(server, server.Endpoint))
	})
}

// stored puts text and returns the address of its run.
func stored(t *testing.T, s tooltest.Store, address, text string, args ...string) string {
	t.Helper()
	args = append([]string{"--create-bucket", address}, args...)
	return strings.TrimSpace(s.Must(t, strings.NewReader(text), "s3put", args...))
}

// runLine is what these tests look at of s3ls --json.
type runLine struct{ Name, Run, State, Signed, Error string }

func listRuns(t *testing.T, s tooltest.Store, args ...string) []runLine {
	t.Helper()
	var runs []runLine
	for line := range strings.Lines(s.Must(t, nil, "s3ls", append([]string{"--json", "-r", "bkt"}, args...)...)) {
		var r runLine
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
	}
	return runs
}

func TestSignedRunsAreFoundVerifiedAndSuperseded(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	k := newSigningKey(t, "word")
	word := k.File(t, []byte("word\n"))
	sign := []string{"--sign-key", k.secret, "--sign-passphrase-file", word, "--verify-key", k.public}
	stores(t, func(t *testing.T, s tooltest.Store) {
		first := stored(t, s, "bkt:a", "one", sign...)
		second := stored(t, s, "bkt:a", "two", sign...)
		if out := s.Must(t, nil, "s3get", "--verify-key", k.public, "bkt:a"); out != "two" {
			t.Errorf("got %q", out)
		}
		runs := listRuns(t, s, "--verify-key", k.public)
		if len(runs) != 1 || "bkt:a:"+runs[0].Run != second || runs[0].Signed != k.fingerprint || runs[0].State != "committed" {
			t.Errorf("%+v; the first was %s", runs, first)
		}
		s.Must(t, nil, "s3rm", "-y", second)
		if out := s.Must(t, nil, "s3ls", "-a", "bkt"); out != "" {
			t.Errorf("left after s3rm: %s", out)
		}
	})
}

// TestGPGVerifiesTheSignatureOfAManifest as the man page says.
func TestGPGVerifiesTheSignatureOfAManifest(t *testing.T) {
	k := newSigningKey(t, "")
	s := tooltest.File(t)
	_, run, _ := strings.Cut(stored(t, s, "bkt:a", "one", "--sign-key", k.secret), ":")
	cmd := k.Command("gpg", "--verify", run+":manifest.sig", run+":manifest")
	cmd.Dir = filepath.Join(s.Dir, "bkt")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Good signature") {
		t.Errorf("%v\n%s", err, out)
	}
	keys := s.Keys(t, "bkt")
	if len(keys) != 4 {
		t.Errorf("keys: %q", keys)
	}
	// The other way round: what gpg signs is signed.
	sig := filepath.Join(cmd.Dir, run+":manifest.sig")
	if err := os.Remove(sig); err != nil {
		t.Fatal(err)
	}
	k.GPG(t, nil, "--detach-sign", "-o", sig, filepath.Join(cmd.Dir, run+":manifest"))
	if out := s.Must(t, nil, "s3get", "--verify-key", k.public, "bkt:a"); out != "one" {
		t.Errorf("got %q", out)
	}
}

func TestKeysThatDoNotFitAreRefusedBeforeAnythingIsStored(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	k, other, locked := newSigningKey(t, ""), newSigningKey(t, ""), newSigningKey(t, "word")
	loose := k.File(t, k.GPG(t, nil, "--export-secret-keys"))
	if err := os.Chmod(loose, 0o644); err != nil {
		t.Fatal(err)
	}
	s := tooltest.File(t)
	if err := os.Mkdir(filepath.Join(s.Dir, "bkt"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"another's verify key": {[]string{"--sign-key", k.secret, "--verify-key", other.public}, 2, "would not be accepted"},
		"no sign key":          {[]string{"--verify-key", k.public}, 2, "--verify-key needs --sign-key"},
		"no verify key":        {[]string{"--accept-unsigned"}, 2, "--accept-unsigned goes with --verify-key"},
		"passphrase for none":  {[]string{"--sign-passphrase-file", k.public}, 2, "goes with --sign-key"},
		"passphrase missing":   {[]string{"--sign-key", locked.secret}, 9, "--sign-passphrase-file FILE"},
		"a public key":         {[]string{"--sign-key", k.public}, 2, "it holds no secret key"},
		"readable by others":   {[]string{"--sign-key", loose}, 2, "chmod 600"},
		"no such file":         {[]string{"--sign-key", k.secret, "--verify-key", "/nonexistent"}, 2, "no such file"},
		"no key":               {[]string{"--sign-key", k.secret, "--verify-key", "/dev/null"}, 2, "empty"},
	} {
		marker := filepath.Join(t.TempDir(), "ran")
		r := s.Run(t, nil, "s3put", append(append([]string{"bkt:a"}, c.args...), "--", "touch", marker)...)
		if r.Code != c.code || !strings.Contains(r.Err, c.want) {
			t.Errorf("%s: exit status %d\n%s", name, r.Code, r.Err)
		}
		if _, err := os.Stat(marker); err == nil {
			t.Errorf("%s: the command was started", name)
		}
	}
	if keys := s.Keys(t, "bkt"); len(keys) > 0 {
		t.Errorf("stored: %q", keys)
	}
}

// TestForgedRunsDoNotExist stores what somebody else who can write to the
// bucket may store, newer than all that is genuine.
func TestForgedRunsDoNotExist(t *testing.T) {
	k, forger := newSigningKey(t, ""), newSigningKey(t, "")
	sign := []string{"--keep", "--sign-key", k.secret, "--verify-key", k.public}
	verify := []string{"--verify-key", k.public}
	stores(t, func(t *testing.T, s tooltest.Store) {
		first := stored(t, s, "bkt:a", "first", sign...)
		genuine := stored(t, s, "bkt:a", "genuine", sign...)
		unsigned := stored(t, s, "bkt:a", "unsigned", "--keep")
		forged := stored(t, s, "bkt:a", "forged", "--keep", "--sign-key", forger.secret)

		r := s.Run(t, nil, "s3get", append(verify, "bkt:a")...)
		if r.Code != 0 || r.Out != "genuine" || !strings.Contains(r.Err, "is passed over") || !strings.Contains(r.Err, "because nobody has signed them: 1") {
			t.Errorf("newest: exit status %d, %q\n%s", r.Code, r.Out, r.Err)
		}
		for _, address := range []string{unsigned, forged} {
			if r := s.Run(t, nil, "s3get", append(verify, address)...); r.Code != 5 || r.Out != "" {
				t.Errorf("%s: exit status %d, %q\n%s", address, r.Code, r.Out, r.Err)
			}
		}
		states := map[string]string{first: "superseded", genuine: "committed", unsigned: "unsigned", forged: "unsigned"}
		for _, run := range listRuns(t, s, verify...) {
			address := "bkt:a:" + run.Run
			if run.State != states[address] || (run.State == "unsigned") != (run.Error != "") || (run.State == "unsigned") != (run.Signed == "") {
				t.Errorf("%s: %+v, want %s", address, run, states[address])
			}
			delete(states, address)
		}
		if len(states) > 0 {
			t.Errorf("not listed: %v", states)
		}
		if r := s.Run(t, nil, "s3ls", append(verify, "bkt")...); strings.Count(r.Out, "\n") != 1 ||
			!strings.Contains(r.Out, "committed   a") || !strings.Contains(r.Err, "not shown: 1") || !strings.Contains(r.Err, "is passed over") {
			t.Errorf("s3ls: %s%s", r.Out, r.Err)
		}
		if r := s.Run(t, nil, "s3ls", append(verify, "--whole", forged)...); r.Code != 5 {
			t.Errorf("--whole: exit status %d", r.Code)
		}
		// They supersede nothing, and are not superseded.
		r = s.Run(t, nil, "s3rm", append(verify, "-p", "--superseded", "bkt")...)
		if r.Code != 0 || r.Out != first+"\n" || !strings.Contains(r.Err, "stays and supersedes nothing") || !strings.Contains(r.Err, "nobody has signed stay and supersede nothing: 1") {
			t.Errorf("s3rm: exit status %d\n%s%s", r.Code, r.Out, r.Err)
		}
		last := stored(t, s, "bkt:a", "last", "--sign-key", k.secret, "--verify-key", k.public)
		var left []string
		for _, run := range listRuns(t, s) {
			left = append(left, "bkt:a:"+run.Run)
		}
		if want := []string{unsigned, forged, last}; !slices.Equal(left, want) {
			t.Errorf("after s3put: %q, want %q", left, want)
		}
	})
}

// TestUnsignedHistoryCanBeAccepted: runs from before signing began are read
// with a warning. They never supersede what is signed.
func TestUnsignedHistoryCanBeAccepted(t *testing.T) {
	k, forger := newSigningKey(t, ""), newSigningKey(t, "")
	accept := []string{"--verify-key", k.public, "--accept-unsigned"}
	s := tooltest.File(t)
	old := stored(t, s, "bkt:a", "old")
	r := s.Run(t, nil, "s3get", "--verify-key", k.public, "bkt:a")
	if r.Code != 4 || !strings.Contains(r.Err, "--accept-unsigned") {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	for _, address := range []string{"bkt:a", old} {
		r := s.Run(t, nil, "s3get", append(accept, address)...)
		if r.Code != 0 || r.Out != "old" || !strings.Contains(r.Err, "although nobody has signed it") {
			t.Errorf("%s: exit status %d, %q\n%s", address, r.Code, r.Out, r.Err)
		}
	}
	stored(t, s, "bkt:a", "forged", "--keep", "--sign-key", forger.secret)
	if r := s.Run(t, nil, "s3get", append(accept, "bkt:a")...); r.Out != "old" {
		t.Errorf("wrongly signed: exit status %d, %q\n%s", r.Code, r.Out, r.Err)
	}
	signed := stored(t, s, "bkt:b", "signed", "--keep", "--sign-key", k.secret)
	stored(t, s, "bkt:b", "later", "--keep")
	if r := s.Run(t, nil, "s3rm", append(accept, "-p", "--superseded", "bkt:b")...); strings.Contains(r.Out, signed) || r.Code != 0 {
		t.Errorf("an unsigned run supersedes a signed one: %s%s", r.Out, r.Err)
	}
	// A signed one supersedes them.
	again := stored(t, s, "bkt:b", "again", "--keep", "--sign-key", k.secret)
	if r := s.Run(t, nil, "s3rm", append(accept, "-p", "--superseded", "bkt:b")...); strings.Count(r.Out, "\n") != 2 || strings.Contains(r.Out, again) {
		t.Errorf("%s%s", r.Out, r.Err)
	}
}

// TestASignedManifestIsGoodOnlyInItsPlace: an attacker stores it again under
// another name or run, with all its chunks.
func TestASignedManifestIsGoodOnlyInItsPlace(t *testing.T) {
	k := newSigningKey(t, "")
	s := tooltest.File(t)
	genuine := stored(t, s, "bkt:a", "old text", "--sign-key", k.secret)
	stored(t, s, "bkt:a", "new text", "--keep", "--sign-key", k.secret)
	_, run, _ := strings.Cut(genuine, ":")
	dir := filepath.Join(s.Dir, "bkt")
	for _, target := range []string{"b:" + strings.TrimPrefix(run, "a:"), "a:20990101T000000Z-zzzz", "a:" + run[2:17] + "Z-zzzz"} {
		for _, key := range s.Keys(t, "bkt") {
			object, ok := strings.CutPrefix(key, run+":")
			if !ok {
				continue
			}
			data, err := os.ReadFile(filepath.Join(dir, key))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, target+":"+object), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r := s.Run(t, nil, "s3get", "--verify-key", k.public, "bkt:"+target)
		if r.Code != 5 || r.Out != "" || !strings.Contains(r.Err, "it is the manifest of") {
			t.Errorf("%s: exit status %d, %q\n%s", target, r.Code, r.Out, r.Err)
		}
	}
	if r := s.Run(t, nil, "s3get", "--verify-key", k.public, "bkt:b"); r.Code != 4 {
		t.Errorf("another name: exit status %d, %q\n%s", r.Code, r.Out, r.Err)
	}
	if r := s.Run(t, nil, "s3get", "--verify-key", k.public, "bkt:a"); r.Code != 0 || r.Out != "new text" {
		t.Errorf("another run: exit status %d, %q\n%s", r.Code, r.Out, r.Err)
	}
}

// TestEveryChangeOfASignedArchiveIsNoticed.
func TestEveryChangeOfASignedArchiveIsNoticed(t *testing.T) {
	k := newSigningKey(t, "")
	s := tooltest.File(t)
	_, run, _ := strings.Cut(stored(t, s, "bkt:a", "the text", "--sign-key", k.secret), ":")
	dir := filepath.Join(s.Dir, "bkt")
	for _, object := range []string{"0000000000000", "SHA256SUMS", "manifest", "manifest.sig"} {
		path := filepath.Join(dir, run+":"+object)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		middle := len(whole) / 2
		changed := slices.Clone(whole)
		changed[middle] ^= 1
		for name, bad := range map[string][]byte{"a bit": changed, "cut": whole[:len(whole)-1], "longer": append(slices.Clone(whole), '\n'), "empty": {}, "large": make([]byte, 1<<20)} {
			if err := os.WriteFile(path, bad, 0o644); err != nil {
				t.Fatal(err)
			}
			r := s.Run(t, nil, "s3get", "--verify-key", k.public, "bkt:"+run)
			if r.Code != 5 || r.Out != "" {
				t.Errorf("%s, %s: exit status %d, %q\n%s", object, name, r.Code, r.Out, r.Err)
			}
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out := s.Must(t, nil, "s3get", "--verify-key", k.public, "bkt:a"); out != "the text" {
		t.Errorf("got %q", out)
	}
}
