package scripts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// shells are those that complete command lines: how each is started with what it
// reads first, and what makes a % write the line to the file $OUT and end it.
var shells = []struct{ name, start, rc, first string }{
	{"bash", "bash --noprofile --rcfile rc -i", "rc",
		"keep() { printf %s \"$READLINE_LINE\" >\"$OUT\"; exit; }\nbind -x '\"%\":keep'\n"},
	{"zsh", "env ZDOTDIR=$PWD zsh -d -i", ".zshrc",
		"autoload -U compinit; compinit -u -D\nkeep() { print -rn -- \"$BUFFER\" >$OUT; exit }\nzle -N keep; bindkey % keep; bindkey '^I' complete-word\n"},
	{"fish", "env XDG_CONFIG_HOME=$PWD fish --private -i", "fish/config.fish",
		"function keep; commandline >$OUT; kill -9 $fish_pid; end\nbind % keep\n"},
}

// typed types a line and a TAB into a shell on a terminal, and returns what the
// line has become.
func typed(t *testing.T, shell int, env []string, line string) string {
	t.Helper()
	sh, dir := shells[shell], t.TempDir()
	rc := filepath.Join(dir, sh.rc)
	// fish would make its own completions of all manuals if there were none.
	for _, folder := range []string{filepath.Dir(rc), filepath.Join(dir, ".local/share/fish/generated_completions")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script := sh.first
	for _, tool := range []string{"napback", "s3put", "slotcalc"} {
		cmd := exec.CommandContext(t.Context(), tool, "--completion", sh.name)
		cmd.Env = env
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s --completion %s: %v", tool, sh.name, err)
		}
		script += string(out)
	}
	if err := os.WriteFile(rc, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	cmd := exec.CommandContext(t.Context(), tooltest.System(t, "script"), "-qec", sh.start, "/dev/null")
	cmd.Dir, cmd.Env = dir, append(env, "OUT="+out, "TERM=dumb", "HOME="+dir)
	cmd.Stdin = strings.NewReader(line + "\t%")
	said, err := cmd.CombinedOutput()
	got, missing := os.ReadFile(out)
	if missing != nil {
		t.Fatalf("%s: %v, %v\n%s", sh.name, err, missing, said)
	}
	if strings.Contains(string(said), "error:") {
		t.Errorf("%s shows errors of the tools:\n%s", sh.name, said)
	}
	return strings.TrimSpace(string(got))
}

// A TAB completes options, commands, jobs, dates, and file names, and
// what a name holds is never run.
func TestShellsCompleteCommandLines(t *testing.T) {
	storetest.NotQuick(t, "starts shells")
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"build", "store/b", "state", "x y", "evil"} {
		if err := os.MkdirAll(path(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	conf := fmt.Sprintf("Bucket b\nEndpoint file://%s\nDiffDir %s\nCompression none\n<Directory %s>\nName home/build\n</Directory>\nDirectory \"%s\"\n<Directory %s>\nName \"$(touch ran)\"\n</Directory>\n",
		path("store"), path("state"), path("build"), path("x y"), path("evil"))
	if err := os.WriteFile(path("n.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	j := &job{t: t, env: append(os.Environ(), "TZ=UTC")}
	j.run(0, "napback", "-c", path("n.conf"), "--date", "2001-02-03", "-f")
	spaced := strings.TrimPrefix(dir, "/") + "/x"
	for i, sh := range shells {
		t.Run(sh.name, func(t *testing.T) {
			for line, want := range map[string]string{
				"napback rest":               "napback restore",
				"napback --forc":             "napback --force",
				"napback list --jso":         "napback list --json",
				"napback -c " + path("n.co"): "napback -c " + path("n.conf"),
				"napback -c " + path("n.conf") + " restore home/b":       "napback -c " + path("n.conf") + " restore home/build",
				"napback -c " + path("n.conf") + " restore --at 2001":    "napback -c " + path("n.conf") + " restore --at 2001-02-03",
				"napback -c " + path("n.conf") + " status " + spaced:     "napback -c " + path("n.conf") + " status " + spaced + `\ y`,
				"napback -c " + path("absent") + " restore --at 20":      "napback -c " + path("absent") + " restore --at 20",
				"napback --config=" + path("n.conf") + " verify home/bu": "napback --config=" + path("n.conf") + " verify home/build",
				"s3put b:n --progress=n":                                 "s3put b:n --progress=never",
				"s3put b:n -K " + path("n.co"):                           "s3put b:n -K " + path("n.conf"),
				"s3put b:n -- cat " + path("n.co"):                       "s3put b:n -- cat " + path("n.conf"),
				"slotcalc plan ha":                                       "slotcalc plan hanoi",
				"slotcalc kept simple --dif":                             "slotcalc kept simple --diffs",
			} {
				if got := typed(t, i, j.env, line); got != want {
					t.Errorf("%q becomes\n%q instead of\n%q", line, got, want)
				}
			}
			// A TAB runs what is in PATH, not what a hostile folder has under the name.
			if err := os.WriteFile(path("napback"), []byte("#!/bin/sh\ntouch "+path("ran")+"\n"), 0o700); err != nil {
				t.Fatal(err)
			}
			typed(t, i, j.env, path("napback")+" rest")
			if _, err := os.Stat(path("ran")); err == nil {
				t.Error("a TAB has run the program that the line names")
			}
			got := typed(t, i, j.env, "napback -c "+path("n.conf")+` list \$`)
			if quoted := strings.NewReplacer(`\`, "", "'", "").Replace(got); !strings.HasSuffix(quoted, "list $(touch ran)") || got == quoted {
				t.Errorf("the name becomes %q", got)
			}
		})
	}
}

func TestACompletionIsAskedForAlone(t *testing.T) {
	storetest.NotQuick(t, "builds the tools")
	j := &job{t: t, env: os.Environ()}
	for _, tool := range []string{"s3put", "s3get", "s3ls", "s3rm", "pgpipe", "slotcalc", "napback"} {
		for _, args := range [][]string{{"--completion"}, {"--completion", "tcsh"}, {"--completion=bash", "x"}, {"--completion", "zsh", "-h"}} {
			if out := j.run(2, tool, args...); !strings.Contains(out, "want bash, zsh or fish") {
				t.Errorf("%s %q: %s", tool, args, out)
			}
		}
		if out := j.run(0, tool, "--complete", "--versio"); !strings.HasPrefix(out, "--version\t") {
			t.Errorf("%s --versio: %s", tool, out)
		}
		if out := j.run(0, tool, "--complete"); strings.Contains(out, "error") {
			t.Errorf("%s: %s", tool, out)
		}
		for _, shell := range []string{"bash", "zsh", "fish"} {
			if out := j.run(0, tool, "--completion="+shell); !strings.Contains(out, tool) || strings.Contains(out, "@TOOL@") {
				t.Errorf("%s --completion=%s: %s", tool, shell, out)
			}
		}
	}
}
