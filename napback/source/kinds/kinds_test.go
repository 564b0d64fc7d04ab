//go:build unix

package kinds_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
	"napback/napback/source"
	"napback/napback/source/kinds"
)

func TestEachKindTellsWhatNobodyElseCan(t *testing.T) {
	names, options := map[string]bool{}, map[string]source.Option{}
	for _, k := range kinds.All() {
		if k.Name == "" || names[k.Name] || strings.ContainsAny(k.Name, " <>") {
			t.Errorf("%q is no name, or is taken", k.Name)
		}
		names[k.Name] = true
		if k.Clean == nil || k.Open == nil || k.Tree && k.Load != nil || k.LoadsTo && k.Load == nil {
			t.Errorf("%s: %+v", k, k)
		}
		for _, o := range k.Options {
			// Kinds that share one have to mean the same by it.
			if other, shared := options[o.Name]; shared && (other.Form != o.Form || other.Repeat != o.Repeat || other.Adds != o.Adds || other.Own != o.Own) {
				t.Errorf("%s has the option %s, which is another one of another kind", k, o.Name)
			}
			options[o.Name] = o
		}
		if k.Program != "" && (options[k.Program].Form != source.Program || !options[k.Program].Own) {
			t.Errorf("%s needs the option %s, which is no program of its own", k, k.Program)
		}
		if got := kinds.Of(k.Name); got.Name != k.Name || got.Open == nil {
			t.Errorf("%s is not found", k)
		}
	}
	if k := kinds.Of("Semaphore"); k.Name != "Semaphore" || k.Open != nil || k.Load != nil || k.Tree {
		t.Errorf("a kind that nobody knows is %+v", k)
	}
}

// overlay returns what lets the go command see the tree with one more kind: the
// file in testdata, and a line in the table.
func overlay(t *testing.T) (flag string) {
	t.Helper()
	dir, root := t.TempDir(), storetest.Root(t)
	table := filepath.Join(root, "napback/source/kinds/kinds.go")
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	const last, path = "\t\tcommand.Command(),\n", "\t\"napback/napback/source\"\n"
	more := strings.Replace(string(text), last, last+"\t\ttelegraph.Telegraph(),\n", 1)
	more = strings.Replace(more, path, path+"\t\"napback/napback/source/telegraph\"\n", 1)
	changed := filepath.Join(dir, "kinds.go")
	if err := os.WriteFile(changed, []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {
		table: changed,
		filepath.Join(root, "napback/source/telegraph/telegraph.go"): filepath.Join(root, "napback/source/kinds/testdata/telegraph.go"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	path2 := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path2, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return "-overlay=" + path2
}

// TestANewKindIsOneFileAndOneLine: with these, all of napback knows it, and what
// tests the configuration tests its directives, too.
func TestANewKindIsOneFileAndOneLine(t *testing.T) {
	storetest.NotQuick(t, "builds napback twice")
	with, root, dir := overlay(t), storetest.Root(t), t.TempDir()
	run := func(code int, name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
			t.Fatalf("%s %q: %v; want exit status %d\n%s", name, args, err, code, out)
		}
		return string(out)
	}
	if err := tooltest.Build(dir, "s3put", "s3get", "s3ls", "s3rm", "pgpipe"); err != nil {
		t.Fatal(err)
	}
	napback := filepath.Join(dir, "napback")
	run(0, "go", "build", with, "-o", napback, "./napback")
	run(0, "go", "test", with, "-vet=off", "-count=1", "-run", "^(FuzzLoad|TestEachDirective.*|TestEveryPath.*)$", "./napback/config")

	conf, loaded := filepath.Join(dir, "conf"), filepath.Join(dir, "loaded")
	configure := func(text string) {
		t.Helper()
		text = fmt.Sprintf("Bucket bk\nEndpoint file://%s/store\nDiffDir %[1]s/diffs\nNeverDie off\n%s", dir, text)
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"store/bk", "diffs"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const text = "<Telegraph greeting>\nTap echo hello\nCode .-\nReceiver tee %s\n</Telegraph>\n"
	configure(fmt.Sprintf(text, loaded))
	run(0, napback, "-c", conf, "check")
	if out := run(0, napback, "-c", conf, "-t"); !strings.Contains(out, "echo hello \\\n  | ") {
		t.Error(out)
	}
	if out := run(0, napback, "-c", conf); !strings.Contains(out, "Telegraph/greeting") {
		t.Error(out)
	}
	run(0, napback, "-c", conf, "restore", "--to", filepath.Join(dir, "file"), "Telegraph/greeting")
	run(0, napback, "-c", conf, "restore", "--load", "Telegraph greeting")
	for _, path := range []string{loaded, filepath.Join(dir, "file")} {
		if data, err := os.ReadFile(path); err != nil || string(data) != "hello\n" {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
	run(2, napback, "-c", conf, "restore", "--in-place", "-y", "Telegraph/greeting")
	open := filepath.Join(dir, "open")
	if err := errors.Join(os.WriteFile(open, nil, 0o755), os.Chmod(open, 0o777)); err != nil {
		t.Fatal(err)
	}
	// What it refuses is refused as everywhere.
	for text, want := range map[string]string{
		"Telegraph greeting\n":                                       "Telegraph takes a name and a program",
		"<Telegraph a sh>\nTap sh\n</Telegraph>\n":                   "a line of its own in the block, Tap PROGRAM",
		"<Telegraph a>\nSilent on\n</Telegraph>\n":                   "<Telegraph a> has no program: add a line Tap PROGRAM",
		"Tap sh\nTelegraph a sh\n":                                   "Tap cannot stand at the top level: it belongs in the block of a Telegraph",
		"<Telegraph a>\nTap sh\nCdoe .\n</Telegraph>\n":              "did you mean Code?",
		"<Telegraph a>\nTap sh\nCode x\n</Telegraph>\n":              `Code "x"`,
		"<Directory /x>\nCode .\n</Directory>\n":                     "Code cannot stand in <Directory /x>: it belongs to Telegraph",
		"<Telegraph a>\nTap sh\nExclude x\n</Telegraph>\n":           "it belongs to Directory",
		"<Telegraph a>\nTap sh\nReceiver " + open + "\n</Telegraph>": "can be written by",
		"Telegraph a " + open + "\n":                                 "can be written by",
	} {
		configure(text)
		if out := run(2, napback, "-c", conf, "-t"); !strings.Contains(out, want) {
			t.Errorf("%s: %s", text, out)
		}
	}
}
