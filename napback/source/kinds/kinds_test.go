//go:build unix

package kinds_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
	"napback/napback/source/kinds"
)

func TestEachKindTellsWhatNobodyElseCan(t *testing.T) {
	names, options := map[string]bool{}, map[string]string{}
	for _, k := range kinds.All() {
		if k.Name == "" || names[k.Name] || strings.ContainsAny(k.Name, " <>") {
			t.Errorf("%q is no name, or is taken", k.Name)
		}
		names[k.Name] = true
		if k.Clean == nil || k.Open == nil || k.Tree && k.Load != nil || k.LoadsTo && k.Load == nil {
			t.Errorf("%s: %+v", k, k)
		}
		for _, o := range k.Options {
			if other := options[o.Name]; other != "" {
				t.Errorf("%s has the option %s, which %s has", k, o.Name, other)
			}
			options[o.Name] = k.Name
		}
		if got := kinds.Of(k.Name); got.Name != k.Name || got.Open == nil {
			t.Errorf("%s is not found", k)
		}
	}
	if k := kinds.Of("Telegraph"); k.Name != "Telegraph" || k.Open != nil || k.Load != nil || k.Tree {
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
	const last, path = "\t\tdump.SubversionDirKind(),\n", "\t\"napback/napback/source\"\n"
	more := strings.Replace(string(text), last, last+"\t\tcommand.Command(),\n", 1)
	more = strings.Replace(more, path, path+"\t\"napback/napback/source/command\"\n", 1)
	changed := filepath.Join(dir, "kinds.go")
	if err := os.WriteFile(changed, []byte(more), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": {
		table: changed,
		filepath.Join(root, "napback/source/command/command.go"): filepath.Join(root, "napback/source/kinds/testdata/command.go"),
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
	const source = "<Command greeting sh -c \"echo hello; exit 3\">\nOkExit 3\nLoad tee %s\n</Command>\n"
	configure(fmt.Sprintf(source, loaded))
	run(0, napback, "-c", conf, "check")
	if out := run(0, napback, "-c", conf, "-t"); !strings.Contains(out, "-c 'echo hello; exit 3' \\\n  | ") {
		t.Error(out)
	}
	if out := run(0, napback, "-c", conf); !strings.Contains(out, "Command/greeting") {
		t.Error(out)
	}
	run(0, napback, "-c", conf, "restore", "--to", filepath.Join(dir, "file"), "Command/greeting")
	run(0, napback, "-c", conf, "restore", "--load", "Command greeting")
	for _, path := range []string{loaded, filepath.Join(dir, "file")} {
		if data, err := os.ReadFile(path); err != nil || string(data) != "hello\n" {
			t.Errorf("%s: %q, %v", path, data, err)
		}
	}
	run(2, napback, "-c", conf, "restore", "--in-place", "-y", "Command/greeting")
	// What it refuses is refused as everywhere.
	for text, want := range map[string]string{
		"Command greeting\n":                           "Command takes a name and a program",
		"<Command a sh>\nOkExti 3\n</Command>\n":       "did you mean OkExit?",
		"<Command a sh>\nOkExit x\n</Command>\n":       `OkExit "x"`,
		"<Directory /x>\nOkExit 3\n</Directory>\n":     "OkExit cannot stand in <Directory /x>: it belongs to Command",
		"<Command a sh>\nExclude x\n</Command>\n":      "it belongs to Directory",
		"<Command a sh>\nLoad /tmp/open\n</Command>\n": "",
	} {
		if want == "" {
			open := filepath.Join(dir, "open")
			if err := os.WriteFile(open, nil, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(open, 0o777); err != nil {
				t.Fatal(err)
			}
			text, want = strings.Replace(text, "/tmp/open", open, 1), "can be written by"
		}
		configure(text)
		if out := run(2, napback, "-c", conf, "-t"); !strings.Contains(out, want) {
			t.Errorf("%s: %s", text, out)
		}
	}
}
