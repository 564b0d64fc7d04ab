package store

import (
	"path"
	"path/filepath"
	"strings"
)

// shellQuote quotes s for a POSIX shell, if it needs to be.
func shellQuote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@%+=,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// quoteAlways is shellQuote for a pattern of case or for, where %, = and
// their like are no danger but a bare word would hide what is meant.
func quoteAlways(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// recoverFromS3 lists the keys first and whole, because in a pipe a listing
// that fails half-way would look like the end of the archive. The listing
// prints one key a line; where the prefix itself has line ends, a key's last
// line is what is compared, and the lines before it are put back.
func recoverFromS3(global []string, bucket, prefix string) string {
	aws := "aws"
	for _, word := range global {
		aws += " " + shellQuote(word)
	}
	cut := strings.LastIndexByte(prefix, '\n') + 1
	before, last := "s3://"+bucket+"/"+prefix[:cut], prefix[cut:]
	return "(keys=$(" + aws + " s3api list-objects-v2 --bucket " + shellQuote(bucket) +
		" --prefix=" + quoteAlways(prefix) + " --query 'Contents[].[Key]' --output text) || exit; " +
		`printf '%s\n' "$keys" | while IFS= read -r key; do case $key in ` + quoteAlways(last) + "*) " +
		aws + " s3 cp --only-show-errors " + quoteAlways(before) + `"$key" - || exit;; esac; done)`
}

// recoverFromDir uses the shell's own pattern, which LC_ALL=C sorts in the
// order of bytes and which no character of a name can break.
func recoverFromDir(root, bucket, prefix string) string {
	dir, base := path.Split(prefix)
	at := filepath.Join(root, bucket, filepath.FromSlash(dir))
	return "(LC_ALL=C; cd -- " + shellQuote(at) + " || exit; for f in ./" + quoteAlways(base) +
		`*; do if [ -f "$f" ]; then cat "$f" || exit; fi; done)`
}
