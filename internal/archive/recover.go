package archive

import (
	"strings"

	"napback/internal/compress"
)

// The keys of meta that say what a stream is, so that `recover` can undo it.
// Whoever builds the stream sets them.
const (
	MetaEncryption  = "encryption"  // not empty: OpenPGP
	MetaCompression = "compression" // the name of a compress.Method, or none
	MetaUnpack      = "unpack"      // shell command that takes the plain stream
)

// recoverCommand is the shell command that restores a run with standard
// tools: fetch writes the chunks to stdout, meta says what undoes the rest.
func recoverCommand(fetch string, meta map[string]string) string {
	stages := []string{fetch}
	if meta[MetaEncryption] != "" {
		stages = append(stages, "gpg -d")
	}
	if m, ok := compress.Find(meta[MetaCompression]); ok {
		stages = append(stages, m.Name+" -d")
	}
	if unpack := meta[MetaUnpack]; unpack != "" {
		stages = append(stages, unpack)
	}
	return strings.Join(stages, " | ")
}

// RecoverCommand is recoverCommand for a manifest that was read from a bucket,
// for people to paste. No text of the manifest gets into it, because whoever
// can write to the bucket can write that: meta only chooses among commands that
// are known here. A stream that something else unpacks ends as it is.
func RecoverCommand(fetch string, m *Manifest) string {
	return recoverCommand(fetch, map[string]string{
		MetaEncryption:  m.Meta[MetaEncryption],
		MetaCompression: m.Meta[MetaCompression],
		MetaUnpack:      knownUnpack(m.Meta[MetaUnpack]),
	})
}

// RecoverPrefix is what the keys of a run's chunks, and no others, begin with.
func RecoverPrefix(name string, run Run) string { return chunksPrefix(name, run) }

// knownUnpack returns the command if it is one that napback writes, else "".
// psql, which it writes too, is not among them: it obeys a dump that tells it
// to run a shell command.
func knownUnpack(command string) string {
	switch command {
	case "tar --extract --file=- --listed-incremental=/dev/null --numeric-owner --same-permissions --xattrs --xattrs-include='*' --acls",
		"mysql --binary-mode", "mariadb --binary-mode",
		"svnadmin load --bypass-prop-validation REPOSITORY":
		return command
	}
	return ""
}
