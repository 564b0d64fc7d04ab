package storetest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// User is an account of a server.
type User struct {
	AccessKey, SecretKey string
	Token                string // of temporary credentials; else empty
}

// Env returns Env(s) with the user's keys instead of the owner's.
func (u User) Env(s *Server) []string {
	return append(Env(s), "AWS_ACCESS_KEY_ID="+u.AccessKey, "AWS_SECRET_ACCESS_KEY="+u.SecretKey, "AWS_SESSION_TOKEN="+u.Token)
}

// KeyFile writes a -K file with the user's keys, and returns its path.
func (u User) KeyFile(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "keys")
	text := fmt.Sprintf("key=%s\nsecret=%s\n", u.AccessKey, u.SecretKey)
	if u.Token != "" {
		text += "token=" + u.Token + "\n"
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// KeyFile writes a -K file with the keys of the server's owner.
func (s *Server) KeyFile(t testing.TB) string {
	t.Helper()
	return User{AccessKey: s.AccessKey, SecretKey: s.SecretKey}.KeyFile(t)
}

// User creates an account that may do the actions, such as s3:PutObject, in
// one bucket and nothing else. A second call for the bucket replaces what the
// first has allowed. Only versitygw has it.
func (s *Server) User(t testing.TB, bucket string, actions ...string) User {
	t.Helper()
	name := strings.ToLower(fmt.Sprintf("user-%s-%d", bucket, len(actions)))
	u := User{AccessKey: name, SecretKey: name + "-secret0123456789"}
	cmd := exec.Command(s.command[0], "admin", "--endpoint-url", s.Endpoint, "--region", s.Region,
		"create-user", "--access", u.AccessKey, "--secret", u.SecretKey, "--role", "user")
	cmd.Env = append(os.Environ(), "ADMIN_ACCESS_KEY="+s.AccessKey, "ADMIN_SECRET_KEY="+s.SecretKey)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("create user: %v\n%s", err, out)
	}
	if len(actions) == 0 {
		return u
	}
	policy, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []map[string]any{{
			"Effect":    "Allow",
			"Principal": map[string]any{"AWS": []string{u.AccessKey}},
			"Action":    actions,
			"Resource":  resources(bucket, actions),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Client(User{AccessKey: s.AccessKey, SecretKey: s.SecretKey}).PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: aws.String(string(policy))})
	if err != nil {
		t.Fatalf("policy of bucket %q: %v", bucket, err)
	}
	return u
}

// Client returns a plain S3 client with the user's keys, for what our own store
// never does.
func (s *Server) Client(u User) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: aws.String(s.Endpoint), Region: s.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(u.AccessKey, u.SecretKey, u.Token),
	})
}

// Owner is the account that owns the server.
func (s *Server) Owner() User { return User{AccessKey: s.AccessKey, SecretKey: s.SecretKey} }

// Restricted returns temporary credentials that may do what the policy allows
// and nothing else: those of the security token service. Only MinIO has it.
func (s *Server) Restricted(t testing.TB, policy string) (User, error) {
	t.Helper()
	for {
		u, err := s.assumeRole(t, policy)
		// Its service may come up a moment after that for objects.
		if err == nil || t.Context().Err() != nil || !strings.Contains(err.Error(), "not initialized") {
			return u, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *Server) assumeRole(t testing.TB, policy string) (User, error) {
	form := url.Values{"Action": {"AssumeRole"}, "Version": {"2011-06-15"}, "Policy": {policy}}.Encode()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.Endpoint+"/", strings.NewReader(form))
	if err != nil {
		return User{}, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	hash := sha256.Sum256([]byte(form))
	keys := aws.Credentials{AccessKeyID: s.AccessKey, SecretAccessKey: s.SecretKey}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, hex.EncodeToString(hash[:]), "sts", s.Region, time.Now()); err != nil {
		return User{}, err
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return User{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return User{}, err
	}
	var found struct {
		Keys struct {
			AccessKeyID     string `xml:"AccessKeyId"`
			SecretAccessKey string `xml:"SecretAccessKey"`
			SessionToken    string `xml:"SessionToken"`
		} `xml:"AssumeRoleResult>Credentials"`
	}
	if err := xml.Unmarshal(text, &found); err != nil || found.Keys.AccessKeyID == "" {
		return User{}, fmt.Errorf("assume a role: %s: %s", answer.Status, text)
	}
	return User{found.Keys.AccessKeyID, found.Keys.SecretAccessKey, found.Keys.SessionToken}, nil
}

// resources are the bucket and its objects, whichever the actions are about.
func resources(bucket string, actions []string) []string {
	var all []string
	for _, action := range actions {
		on := "arn:aws:s3:::" + bucket
		if strings.Contains(action, "Object") {
			on += "/*"
		}
		all = append(all, on)
	}
	return all
}
