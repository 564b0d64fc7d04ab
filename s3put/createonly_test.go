package main

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// addOnly is the README's policy for services that know no condition on
// If-None-Match.
const addOnly = `{ "Version": "2012-10-17", "Statement": [
  { "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::mybackups" },
  { "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::mybackups/*" } ] }`

// restricted is a host's credentials on a real server that keeps every version.
type restricted struct {
	server *storetest.Server
	user   storetest.User
	store  tooltest.Store // with the host's credentials
	owner  tooltest.Store
}

func newRestricted(t *testing.T, minio bool) *restricted {
	t.Helper()
	var r restricted
	bucket := "mybackups"
	if minio {
		r.server = storetest.Minio(t)
	} else {
		r.server = storetest.Versitygw(t)
	}
	_, err := r.server.Client(r.server.Owner()).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket, ObjectLockEnabledForBucket: aws.Bool(minio)})
	if err != nil {
		t.Fatal(err)
	}
	if minio {
		if r.user, err = r.server.Restricted(t, addOnly); err != nil {
			t.Fatal(err)
		}
	} else {
		r.user = r.server.User(t, bucket, "s3:ListBucket", "s3:PutObject")
	}
	r.store = tooltest.Store{Name: "host", Env: r.user.Env(r.server)}
	r.owner = tooltest.Server(r.server, r.server.Endpoint)
	return &r
}

// TestCreateOnlyCredentials: the README's statements about a host that may only
// add, on both servers: s3put works, nothing can be deleted or read, and where the
// bucket keeps versions what is overwritten stays.
func TestCreateOnlyCredentials(t *testing.T) {
	for _, minio := range []bool{false, true} {
		t.Run(map[bool]string{false: "versitygw", true: "minio"}[minio], func(t *testing.T) {
			r := newRestricted(t, minio)
			data := tooltest.Random(1, 1000)
			first := r.store.Put(t, "mybackups:x", data, 400)
			r.store.Must(t, strings.NewReader("second"), "s3put", "--keep", "mybackups:x")
			r.owner.Reads(t, first, data)
			for _, args := range [][]string{{"s3rm", "-y", first}, {"s3get", "--verify", first}} {
				if e := r.store.Run(t, nil, args[0], args[1:]...); e.Code != 8 || !strings.Contains(e.Err, "access denied") {
					t.Errorf("%q: exit status %d\n%s", args, e.Code, e.Err)
				}
			}
			r.cannotDestroy(t, strings.TrimPrefix(first, "mybackups:")+":0000000000000", string(data[:400]), minio)
		})
	}
}

// cannotDestroy tries what a thief of the credentials would.
func (r *restricted) cannotDestroy(t *testing.T, key, content string, versions bool) {
	t.Helper()
	bucket, thief, owner := "mybackups", r.server.Client(r.user), r.server.Client(r.server.Owner())
	denied := func(what string, err error) {
		t.Helper()
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != "AccessDenied" {
			t.Errorf("%s: %v, want AccessDenied", what, err)
		}
	}
	_, err := thief.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
	denied("delete", err)
	_, err = thief.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
	var api smithy.APIError
	if !errors.As(err, &api) || api.ErrorCode() != "PreconditionFailed" {
		t.Errorf("put with If-None-Match over an object: %v", err)
	}
	if !versions {
		return
	}
	old, err := owner.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	// Without the header the service lets it through: this is what versions are for.
	if _, err := thief.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader("x")}); err != nil {
		t.Errorf("put without the header: %v: the README says that this service allows it", err)
	}
	_, err = thief.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: old.VersionId})
	denied("delete of a version", err)
	_, err = thief.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{Bucket: &bucket,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}})
	if err == nil {
		t.Error("a thief can end the versioning")
	}
	got, err := owner.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: old.VersionId})
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	if text, err := io.ReadAll(got.Body); err != nil || string(text) != content {
		t.Errorf("the version that was overwritten is %d bytes, %v", len(text), err)
	}
}
