//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"napback/internal/storetest"
	"napback/internal/tooltest"
	"napback/napback/treetest"
)

// TestScript checks what people type and see. A script finds the directory src, the
// bucket bk of a store in the directory store, and the dates of the days 0 to 35 of
// a round as $D0 to $D35 (see day). It has the commands
//
//	configure PART...       make napback.conf of the store, of DiffDir and of these files, with variables expanded
//	configure -o FILE PART...   make another file of these files alone
//	call STATUS ARG...      run napback -c napback.conf ARG..., compare its exit status
//	day N STATUS ARG...     the same with --date $DN
//	fake PROGRAM FILE       run FILE, a script of bash, in the program's place; $REAL is the real one
//	real                    take all fakes back
//	same DIR DIR            compare two trees in all that a backup must bring back
//
// beside exits and testscript's own.
func TestScript(t *testing.T) {
	storetest.NotQuick(t, "runs whole backups")
	bin := binDir(t)
	setup := func(env *testscript.Env) error {
		env.Setenv("HOME", env.WorkDir)
		env.Setenv("REALPATH", env.Getenv("PATH"))
		env.Setenv("AWS_ENDPOINT_URL_S3", "file://"+filepath.Join(env.WorkDir, "store"))
		for n := range 36 {
			env.Setenv(fmt.Sprint("D", n), day(n))
		}
		var errs []error
		for _, dir := range []string{"src", "diffs", "store/bk"} {
			errs = append(errs, os.MkdirAll(filepath.Join(env.WorkDir, dir), 0o755))
		}
		return errors.Join(errs...)
	}
	tooltest.ScriptsWith(t, "testdata/script", setup, map[string]tooltest.Command{
		"configure": configureScript,
		"call":      callScript,
		"day":       onDay,
		"fake":      func(ts *testscript.TestScript, _ bool, args []string) { fakeProgram(ts, bin, args) },
		"real":      func(ts *testscript.TestScript, _ bool, _ []string) { ts.Setenv("PATH", ts.Getenv("REALPATH")) },
		"same":      sameTrees,
	})
}

func sameTrees(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same DIR DIR")
	}
	var trees []map[string]string
	for _, dir := range args {
		tree, err := treetest.Describe(ts.MkAbs(dir), 0)
		ts.Check(err)
		trees = append(trees, tree)
	}
	if len(trees[0]) == 0 {
		ts.Fatalf("there is nothing in %s", args[0])
	}
	if d := treetest.Difference(trees[0], trees[1]); d != "" {
		ts.Fatalf("%s and %s differ:\n%s", args[0], args[1], d)
	}
}

func configureScript(ts *testscript.TestScript, neg bool, args []string) {
	to, text := "napback.conf", "Bucket bk\nEndpoint file://$WORK/store\nDiffDir $WORK/diffs\nNeverDie off\n"
	if len(args) > 2 && args[0] == "-o" {
		to, text, args = args[1], "", args[2:]
	}
	if neg || len(args) == 0 {
		ts.Fatalf("usage: configure [-o FILE] PART...")
	}
	for _, part := range args {
		text += ts.ReadFile(part)
	}
	ts.Check(os.WriteFile(ts.MkAbs(to), []byte(os.Expand(text, ts.Getenv)), 0o600))
}

func callScript(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: call STATUS ARG...")
	}
	tooltest.Exits(ts, args[0], append([]string{"napback", "-c", "napback.conf"}, args[1:]...)...)
}

func onDay(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: day N STATUS ARG...")
	}
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	callScript(ts, false, append([]string{args[1], "--date", day(n)}, args[2:]...))
}

// fakeProgram makes links to all tools, since napback looks for them beside itself.
func fakeProgram(ts *testscript.TestScript, bin string, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: fake PROGRAM FILE")
	}
	dir := ts.MkAbs("fakes")
	if ts.Getenv("PATH") == ts.Getenv("REALPATH") {
		ts.Check(errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o755)))
		tools, err := filepath.Glob(filepath.Join(bin, "*"))
		ts.Check(err)
		for _, tool := range tools {
			ts.Check(os.Link(tool, filepath.Join(dir, filepath.Base(tool))))
		}
		ts.Setenv("PATH", dir+":"+ts.Getenv("REALPATH"))
	}
	real, err := exec.LookPath(args[0]) // in the test's own PATH
	ts.Check(err)
	path := filepath.Join(dir, args[0])
	ts.Check(errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte("#!/bin/bash\nREAL="+real+"\n"+ts.ReadFile(args[1])), 0o755)))
}
