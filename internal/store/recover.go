package store

import (
	"path"
	"path/filepath"
	"strings"

	"napback/internal/shell"
)

// recoverFromS3 lists the keys first and whole, because in a pipe a listing
// that fails half-way would look like the end of the archive. The listing
// prints one key a line; where the prefix itself has line ends, a key's last
// line is what is compared, and the lines before it are put back.
func recoverFromS3(global []string, bucket, prefix string) string {
	aws := "aws"
	for _, word := range global {
		aws += " " + shell.Word(word)
	}
	cut := strings.LastIndexByte(prefix, '\n') + 1
	before, last := "s3://"+bucket+"/"+prefix[:cut], prefix[cut:]
	return "(keys=$(" + aws + " s3api list-objects-v2 --bucket " + shell.Word(bucket) +
		" --prefix=" + shell.Literal(prefix) + " --query 'Contents[].[Key]' --output text) || exit; " +
		`printf '%s\n' "$keys" | while IFS= read -r key; do case $key in ` + shell.Literal(last) + "*) " +
		aws + " s3 cp --only-show-errors " + shell.Literal(before) + `"$key" - || exit;; esac; done)`
}

// recoverFromDir uses the shell's own pattern, which LC_ALL=C sorts in the
// order of bytes and which no character of a name can break.
func recoverFromDir(root, bucket, prefix string) string {
	dir, base := path.Split(prefix)
	at := filepath.Join(root, bucket, filepath.FromSlash(dir))
	return "(LC_ALL=C; cd -- " + shell.Word(at) + " || exit; for f in ./" + shell.Literal(base) +
		`*; do if [ -f "$f" ]; then cat "$f" || exit; fi; done)`
}
