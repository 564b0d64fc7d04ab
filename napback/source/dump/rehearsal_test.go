package dump

import (
	"slices"
	"strings"
	"testing"
)

func TestARehearsalAsksForNoRows(t *testing.T) {
	for args, want := range map[string]string{
		"--no-password --create --dbname=x":                       "--no-password --create --dbname=x",
		"-a --data-only --data --blobs -b --large-obj --dbname=x": "--dbname=x",
		"--include-foreign-data f --dbname=x":                     "--dbname=x",
		"--include-foreign-data=f -U bob --dbname=x":              "-U bob --dbname=x",
		"--exclude-table-data a --no-comments --dbname=x":         "--exclude-table-data a --no-comments --dbname=x",
		"-d -da --d --no-s --dbname=x":                            "-d -da --d --dbname=x",
	} {
		words := strings.Fields(args)
		got := postgresRehearsal(slices.Clone(words))
		if strings.Join(got, " ") != want+" --schema-only" {
			t.Errorf("%s: %q", args, got)
		}
	}
	words := []string{"--quick", "--databases", "shop", "spare"}[:3]
	if got := mysqlRehearsal(words); !slices.Equal(got, []string{"--quick", "--databases", "shop", "--where=FALSE"}) || words[:4][3] != "spare" {
		t.Errorf("%q, and the dump itself became %q", got, words[:4])
	}
}
