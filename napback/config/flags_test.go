package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEachToolGetsItsFlagsInTheOrderOfTheTable(t *testing.T) {
	j := parse(t, required+`Memory 256MiB
SSEKMSKey key
SSE AWS:KMS
StorageClass GLACIER
Concurrency 4
ChunkSize 10M
SignPassphraseFile /k/word
SignKey /k/sign
VerifyKey /k/2
VerifyKey /k/1
BandwidthLimit 2M
PathStyle yes
Region r
Endpoint http://h
S3KeyFile /k/s3
Directory /x
`).Jobs[0].Settings
	const access = "-K /k/s3 --endpoint http://h --region r --path-style on --bwlimit 2000000 --verify-key /k/2 --verify-key /k/1"
	const more = " -c 4 --memory 268435456"
	for _, c := range []struct {
		tool     Tools
		unsigned bool
		want     string
	}{
		{List, false, access},
		{List, true, access + " --accept-unsigned"},
		{Get, true, access + " --accept-unsigned" + more},
		{Put, false, access + " --sign-key /k/sign --sign-passphrase-file /k/word -z 10000000" + more + " --storage-class GLACIER --sse aws:kms --sse-kms-key key"},
	} {
		j.AcceptUnsigned = c.unsigned
		if diff := cmp.Diff(c.want, strings.Join(j.Flags(c.tool), " ")); diff != "" {
			t.Error(diff)
		}
	}
	unsigned := Settings{AcceptUnsigned: true}
	if got := unsigned.Flags(Get); len(got) > 0 {
		t.Errorf("with nothing set: %q", got)
	}
}
