package tooltest

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Own is for TestMain in the folder of a tool. The test's binary is that tool
// too: it runs main when it is started under the tool's name, which is the
// first in PATH. The others are programs of other packages, which cannot be in
// this binary, and are built; they lie beside it, as where they are installed, and
// every user may run them. Own does not return.
//
// The package gets the flag -update, see Updating.
func Own(m testscript.TestingM, tool string, main func(), others ...string) {
	if status, ok := Measure(); ok {
		os.Exit(status)
	}
	flag.Bool(update, false, "write what a script's cmp finds into the script")
	// By the name of its file, since a tool may start itself under another one, and
	// what is not taken for the tool runs all tests.
	if self, err := os.Executable(); err == nil && filepath.Base(self) == tool {
		main()
		os.Exit(0)
	}
	called := os.Args[0] // testscript takes the directory off
	testscript.Main(owner{m, tool, others}, map[string]func(){tool: func() {
		os.Args[0] = called
		main()
	}})
}

const update = "update"

// Updating tells that what cmp finds is to be written into the scripts: with the
// flag -update, which Own defines. It is testscript's UpdateScripts.
func Updating() bool {
	f := flag.Lookup(update)
	return f != nil && f.Value.String() == "true"
}

// owner runs the tests of a package for Own.
type owner struct {
	testscript.TestingM
	tool   string
	others []string
}

// Run implements testscript.TestingM.
func (o owner) Run() int {
	unignoreHangups()
	dir, err := os.MkdirTemp("", "tools")
	bin := filepath.Join(dir, "bin")
	if err == nil {
		defer os.RemoveAll(dir)
		err = errors.Join(os.Chmod(dir, 0o755), os.Mkdir(bin, 0o755), Build(bin, o.others...))
	}
	if err == nil {
		own, _, _ := strings.Cut(os.Getenv("PATH"), string(filepath.ListSeparator)) // where testscript has put the tool
		err = link(filepath.Join(own, o.tool), filepath.Join(bin, o.tool))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("PATH", Path(bin))
	os.Setenv("GORACE", noRaceWait)
	os.Setenv(plain, filepath.Join(dir, "plain", o.tool))
	return o.TestingM.Run()
}

// link gives a program another name. A symbolic link would not do: its target's name
// would be what tells the test's binary which program it is.
func link(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	return install(from, to)
}

// noRaceWait: a program built with -race waits a second before it exits.
const noRaceWait = "atexit_sleep_ms=0"

// unignoreHangups: under nohup the tools would inherit that hangups are ignored,
// and keep ignoring them, as they should. A signal that is caught is not inherited.
func unignoreHangups() {
	if signal.Ignored(syscall.SIGHUP) {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
}

// plain, in the environment of tests that Own runs, is where Plain builds.
const plain = "TOOLTEST_PLAIN"

// Plain returns the path of a program as people run it, for measurements: the
// test's own binary holds the tests too, and perhaps the race detector, and takes
// several times the memory. The tool is built when it is first asked for.
func Plain(t testing.TB, name string) string {
	t.Helper()
	if own := os.Getenv(plain); filepath.Base(own) == name {
		if _, err := os.Stat(own); err == nil {
			return own
		}
		if err := os.MkdirAll(filepath.Dir(own), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := Build(filepath.Dir(own), name); err != nil {
			t.Fatal(err)
		}
		return own
	}
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
