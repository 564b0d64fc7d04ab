//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"napback/internal/storetest"
)

// TestBackupsWithCreateOnlyCredentials: a FULL and a DIFF of a host whose
// credentials may list and add, on both servers; an administrator restores them.
func TestBackupsWithCreateOnlyCredentials(t *testing.T) {
	const policy = `{ "Version": "2012-10-17", "Statement": [
	  { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::mybackups" },
	  { "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::mybackups/*" } ] }`
	for name, start := range map[string]func(testing.TB) *storetest.Server{"versitygw": storetest.Versitygw, "minio": storetest.Minio} {
		t.Run(name, func(t *testing.T) {
			server, bucket := start(t), "mybackups"
			_, err := server.Client(server.Owner()).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket})
			if err != nil {
				t.Fatal(err)
			}
			var user storetest.User
			if name == "minio" {
				if user, err = server.Restricted(t, policy); err != nil {
					t.Fatal(err)
				}
			} else {
				user = server.User(t, bucket, "s3:ListBucket", "s3:PutObject")
			}
			s := newSite(t)
			configure := func(keys string) {
				s.must(os.WriteFile(s.conf, []byte(fmt.Sprintf("Bucket mybackups\nEndpoint %s\nS3KeyFile %s\nDiffDir %s\nNeverDie off\n%s",
					server.Endpoint, keys, s.diffs, s.block())), 0o600))
			}
			configure(user.KeyFile(t))
			s.write("first", "of the FULL")
			s.napback(0, day(0))
			s.write("second", "of the DIFF")
			s.napback(0, day(1))
			configure(server.KeyFile(t))
			back := filepath.Join(t.TempDir(), "back")
			if e := s.napback(0, day(1), "list"); strings.Count(e.out, "restorable") != 2 || !strings.Contains(e.out, "DIFF") {
				t.Errorf("%v", e)
			}
			s.napback(0, day(1), "restore", "--to", back, "job")
			for file, want := range map[string]string{"first": "of the FULL", "second": "of the DIFF"} {
				got, err := os.ReadFile(filepath.Join(back, s.source, file))
				if err != nil || string(got) != want {
					t.Errorf("%s: %q, %v", file, got, err)
				}
			}
		})
	}
}

// What was denied is said with a name that differs from job to job.
func TestWhatAStoreDeniesIsOneErrorForAllJobs(t *testing.T) {
	server, bucket := storetest.Versitygw(t), "mybackups"
	if _, err := server.Client(server.Owner()).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket}); err != nil {
		t.Fatal(err)
	}
	user := server.User(t, bucket, "s3:ListBucket")
	s := newSite(t)
	s.write("a", "1")
	s.must(os.WriteFile(s.conf, []byte(fmt.Sprintf("Bucket mybackups\nEndpoint %s\nS3KeyFile %s\nDiffDir %s\n%s<Directory %s>\nName other\n</Directory>\n",
		server.Endpoint, user.KeyFile(t), s.diffs, s.block(), s.source)), 0o600))
	e := s.napback(1, day(0))
	if len(regexp.MustCompile(`napback: error: .*access denied`).FindAllString(e.stderr, -1)) != 1 || strings.Count(e.stderr, "hint: check what ") != 1 ||
		!strings.Contains(e.stderr, "\nnapback: error: 1 more job failed for the same reason as Directory ") {
		t.Error(e.stderr)
	}
	if strings.Count(e.out, "access denied") != 1 || !strings.Contains(e.out, "\n2 jobs: 2 failed; ") {
		t.Error(e.out)
	}
}
