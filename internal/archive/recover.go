package archive

import "strings"

// The keys of meta that say what a stream is, so that `recover` can undo it.
// Whoever builds the stream sets them.
const (
	MetaEncryption  = "encryption"  // not empty: OpenPGP
	MetaCompression = "compression" // zstd, gzip, xz or none
	MetaUnpack      = "unpack"      // shell command that takes the plain stream
)

// recoverCommand is the shell command that restores a run with standard
// tools: fetch writes the chunks to stdout, meta says what undoes the rest.
func recoverCommand(fetch string, meta map[string]string) string {
	stages := []string{fetch}
	if meta[MetaEncryption] != "" {
		stages = append(stages, "gpg -d")
	}
	switch meta[MetaCompression] {
	case "zstd", "gzip", "xz":
		stages = append(stages, meta[MetaCompression]+" -d")
	}
	if unpack := meta[MetaUnpack]; unpack != "" {
		stages = append(stages, unpack)
	}
	return strings.Join(stages, " | ")
}
