package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"napback/napback/chain"
	"napback/napback/config"
	"napback/napback/tools"
)

// storeFlags are the flags that all S3 tools share.
func storeFlags(s *config.Settings) []string {
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
func putFlags(s *config.Settings) []string {
	f := flags(storeFlags(s))
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

// compressor is a way to compress: what the manifest calls it, and the program.
type compressor struct {
	method string // zstd, gzip, xz or none
	stage  *chain.Stage
}

// findCompressor returns what compresses as c says. The flags fix the level and
// bound memory: two threads are faster than tar and the network on any machine.
func findCompressor(kit tools.Kit, c config.Compression) (compressor, error) {
	type way struct {
		method  string
		program string
		args    []string
	}
	zstd := way{"zstd", "zstd", []string{"-q", "-3", "-T2"}}
	pigz := way{"gzip", "pigz", []string{"-c", "-n", "-6"}}
	gzip := way{"gzip", "gzip", []string{"-c", "-n", "-6"}}
	xz := way{"xz", "xz", []string{"-q", "-c", "-6", "-T2"}}
	var ways []way
	switch c {
	case config.CompressNone:
		return compressor{method: "none"}, nil
	case config.CompressZstd:
		ways = []way{zstd}
	case config.CompressGzip:
		ways = []way{pigz, gzip}
	case config.CompressXz:
		ways = []way{xz}
	default:
		ways = []way{zstd, pigz, gzip}
	}
	var names []string
	for _, w := range ways {
		if path, ok := kit.Program(w.program); ok {
			s := kit.Stage(w.program, path, w.args)
			return compressor{w.method, &s}, nil
		}
		names = append(names, w.program)
	}
	return compressor{}, fmt.Errorf("compression %s: %s is not in PATH", c, strings.Join(names, ", "))
}

// recipientFlags are pgpipe's flags for the recipients of a job.
func recipientFlags(s *config.Settings) []string {
	var f flags
	for _, r := range s.GpgRecipients {
		f.text("-r", r)
	}
	f.text("--keyring", s.GpgKeyring)
	return f
}

// fingerprints reads the output of `pgpipe --check --json`.
func fingerprints(output []byte) ([]string, error) {
	var all []string
	for line := range strings.Lines(string(output)) {
		var key struct{ Fingerprint string }
		if err := json.Unmarshal([]byte(line), &key); err != nil || key.Fingerprint == "" {
			return nil, fmt.Errorf("read what pgpipe --check says: %q", line)
		}
		all = append(all, key.Fingerprint)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("pgpipe --check names no key")
	}
	return all, nil
}
