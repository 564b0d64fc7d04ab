package storetest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// User is an account of a server.
type User struct{ AccessKey, SecretKey string }

// KeyFile writes a -K file with the user's keys, and returns its path.
func (u User) KeyFile(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "keys")
	text := fmt.Sprintf("key=%s\nsecret=%s\n", u.AccessKey, u.SecretKey)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// KeyFile writes a -K file with the keys of the server's owner.
func (s *Server) KeyFile(t testing.TB) string {
	t.Helper()
	return User{s.AccessKey, s.SecretKey}.KeyFile(t)
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
	client := s3.New(s3.Options{
		BaseEndpoint: aws.String(s.Endpoint), Region: s.Region, UsePathStyle: true,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
	_, err = client.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: aws.String(string(policy))})
	if err != nil {
		t.Fatalf("policy of bucket %q: %v", bucket, err)
	}
	return u
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
