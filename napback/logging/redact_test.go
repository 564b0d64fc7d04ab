package logging

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"napback/internal/shell"
)

const (
	awsSecret = `wJalr/XUtn+FEMI/K7MDENG"bPxRfi'CYEX`
	token     = "IQoJb3JpZ2luX2VjEXAMPLE=="
	smtpPass  = `p&ss <w> wörd\x`
	slashes   = "ÿÿÿÿ?>" // whose base64 has them
	pingID    = "eb095278-f28d-448d-87fb-7b75c171a6aa"
)

// lazy is a value that hides a secret until it is asked.
type lazy struct{}

func (lazy) LogValue() slog.Value {
	return slog.GroupValue(slog.String("inner", "x"+awsSecret), slog.Any("err", errors.New(token)))
}

// group is a value that turns out to be a group with a secret for a name.
type group struct{}

func (group) LogValue() slog.Value {
	return slog.GroupValue(slog.Group(awsSecret, "n", 1))
}

type credentials struct {
	ID     string
	Secret []byte
	Next   *credentials
}

func (c credentials) String() string { return c.ID + ":" + string(c.Secret) }

// marshals turns itself into JSON that has the secret.
type marshals struct{ s string }

func (m marshals) MarshalJSON() ([]byte, error) { return json.Marshal(m.s) }

func TestNoSecretIsLoggedInAnyForm(t *testing.T) {
	multi := "first line of key\nsecond line of key\n"
	secrets := []string{awsSecret, token, smtpPass, slashes, pingID, multi, ""}
	asJSON, _ := json.Marshal(smtpPass)
	for _, format := range []Format{Text, JSON} {
		var out bytes.Buffer
		log := AtLevel(open(t, Options{Format: format, Secrets: secrets, Stderr: &out}), slog.LevelDebug)
		log = log.With("attr", "a "+awsSecret, Job, token).WithGroup("g "+awsSecret).With("more", []byte(token))
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError} {
			log.Log(t.Context(), level, "message "+awsSecret+" and "+token+token,
				"error", fmt.Errorf("auth %q: %w", smtpPass, errors.New(awsSecret)),
				"list", []string{"ok", smtpPass},
				"stringer", credentials{"id", []byte(awsSecret), nil},
				"struct", struct{ A, B string }{"x", token},
				"map", map[string]string{token: awsSecret},
				"marshaler", marshals{awsSecret},
				"lazy", lazy{},
				"pointer", &[]string{awsSecret},
				awsSecret, "as a key",
				slog.Group("of "+awsSecret, token, slog.GroupValue(slog.String("inner", smtpPass))),
				"groups", group{},
				"query", "https://h/?p="+url.QueryEscape(smtpPass),
				"path", "https://h/"+url.PathEscape(awsSecret),
				"user", url.UserPassword("u", smtpPass).String(),
				"json", `"before `+string(asJSON[1:]),
				"shell", shell.Quote("x", awsSecret, smtpPass),
				"base64", base64.StdEncoding.EncodeToString([]byte(smtpPass)),
				"base64 of slashes", base64.StdEncoding.EncodeToString([]byte(slashes)),
				"ping", "https://hc-ping.com/"+pingID+"/start?rid=1",
				"lines", "the second line of key here",
				"url", "get https://ann:hidden1@example.com/x: refused",
				"url2", "smtp://hidden2@mail.example.com:25 and http://a:b@hidden3@h/",
				"signed", "GET /k?X-Amz-Signature=hidden4&X-Amz-Credential=hidden5&x=1\nX-Amz-Security-Token: hidden6")
		}
		got := out.String()
		if n := strings.Count(got, "\n"); n != 4 {
			t.Fatalf("%d lines", n)
		}
		for _, secret := range []string{
			"wJalr", "MDENG", "CYEX", "IQoJb3", "p&ss", `p\u0026ss`, "w%C3%B6rd", "wörd", pingID, "second line", "hidden",
			base64.StdEncoding.EncodeToString([]byte(smtpPass))[:12], base64.StdEncoding.EncodeToString([]byte(awsSecret))[:12],
			base64.StdEncoding.EncodeToString([]byte(slashes))[:10],
		} {
			if i := strings.Index(got, secret); i >= 0 {
				t.Errorf("%s: %q is in the log: ...%s...", format, secret, got[max(0, i-60):i+len(secret)])
			}
		}
		for _, kept := range []string{"message ***", "https://***@example.com/x: refused", "https://hc-ping.com/***/start?rid=1", "&x=1", "smtp://***@mail.example.com:25"} {
			if kept = strings.TrimPrefix(kept, "&"); !strings.Contains(got, kept) {
				t.Errorf("%s: %q is not in the log: %s", format, kept, got)
			}
		}
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	r := NewRedactor([]string{"abc", "", "  ", "a\nb"})
	for _, text := range []string{
		"abc", "a b", "s3://bucket/name@host", "file:///home/a@b", "mail to root@example.com", "https://host/path/a@b?x=y@z", "a://b c@d",
	} {
		if got := r.String(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
	var none *Redactor
	if got := none.String("http://u:p@h/"); got != "http://***@h/" {
		t.Error(got)
	}
}

func TestLongestSecretIsMaskedWhole(t *testing.T) {
	if got := NewRedactor([]string{"pass", "password1"}).String("password1 pass"); got != "*** ***" {
		t.Error(got)
	}
}

func TestLongTextsAreCutAfterMasking(t *testing.T) {
	long := strings.Repeat("ä", maxText/2-3) + "secret-word" + strings.Repeat("ä", maxText)
	got := NewRedactor([]string{"secret-word"}).line(long)
	if len(got) > maxText+3 || !utf8.ValidString(got) || strings.Contains(got, "secre") || !strings.HasSuffix(got, "...") {
		t.Errorf("%d bytes, valid %v, ends %q", len(got), utf8.ValidString(got), got[len(got)-20:])
	}
}

func TestEnvironmentFindsSecretsByName(t *testing.T) {
	got := Environment([]string{
		"AWS_SECRET_ACCESS_KEY=s1", "AWS_SESSION_TOKEN=s2=", "PGPASSWORD=s3", "MYSQL_PWD=s4", "RESTIC_PASSWORD=", "X_API_KEY=s5",
		"AWS_ACCESS_KEY_ID=no", "PWD=/no", "OLDPWD=/no", "PATH=/no", "AWS_SHARED_CREDENTIALS_FILE=/no", "AWS_WEB_IDENTITY_TOKEN_FILE=/no",
		"CREDENTIALS_DIRECTORY=/no", "HOME=/no", "odd",
	})
	if want := []string{"s1", "s2=", "s3", "s4", "s5"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func BenchmarkLine(b *testing.B) {
	log, _, err := Open(Options{Secrets: []string{awsSecret, token}, Stderr: &bytes.Buffer{}})
	if err != nil {
		b.Fatal(err)
	}
	log = log.With(Job, "home/build", Stage, "tar")
	for b.Loop() {
		log.Log(context.Background(), slog.LevelDebug, "not wanted")
		log.Info("tar: home/build/a: file changed as we read it")
	}
}
