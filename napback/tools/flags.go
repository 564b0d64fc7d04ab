package tools

import (
	"strconv"

	"napback/napback/config"
)

// accessFlags are the flags that all S3 tools share.
func accessFlags(s *config.Settings) flags {
	var f flags
	f.text("-K", s.S3KeyFile)
	f.text("--endpoint", s.Endpoint)
	f.text("--profile", s.Profile)
	f.text("--region", s.Region)
	if s.PathStyle != nil {
		f.text("--path-style", map[bool]string{true: "on", false: "off"}[*s.PathStyle])
	}
	f.number("--bwlimit", s.BandwidthLimit)
	for _, key := range s.VerifyKeys {
		f.text("--verify-key", key)
	}
	if s.AcceptUnsigned && len(s.VerifyKeys) > 0 {
		f = append(f, "--accept-unsigned")
	}
	return f
}

// putFlags are the flags of s3put that the settings ask for.
func putFlags(s *config.Settings) flags {
	f := accessFlags(s)
	f.text("--sign-key", s.SignKey)
	f.text("--sign-passphrase-file", s.SignPassphraseFile)
	f.number("-z", s.ChunkSize)
	f.number("-c", int64(s.Concurrency))
	f.number("--memory", s.Memory)
	f.text("--storage-class", s.StorageClass)
	f.text("--sse", s.SSE)
	f.text("--sse-kms-key", s.SSEKMSKey)
	if s.NeverDie {
		f = append(f, "-n")
		if s.RetryWait > 0 {
			f.text("--retry-wait", s.RetryWait.String())
		}
	}
	return f
}

// flags collects flags that have a value; what is not set is left to the
// tool's default.
type flags []string

func (f *flags) text(flag, value string) {
	if value != "" {
		*f = append(*f, flag, value)
	}
}

func (f *flags) number(flag string, value int64) {
	if value != 0 {
		f.text(flag, strconv.FormatInt(value, 10))
	}
}
