package tooltest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"napback/internal/storetest"
)

// Scripts runs the testscript files of a directory on a directory store. A
// script finds the store as $STORE, which holds the bucket b, and has the
// commands
//
//	exits STATUS COMMAND...    run COMMAND and compare its exit status
//	field NAME FILE            write a field of stdout's JSON object into FILE
//
// beside testscript's own.
func Scripts(t *testing.T, dir string) {
	t.Helper()
	scripts(t, dir, func(env *testscript.Env) error {
		store := filepath.Join(env.WorkDir, "store")
		env.Setenv("STORE", store)
		env.Setenv("AWS_ENDPOINT_URL", "file://"+store)
		return os.MkdirAll(filepath.Join(store, "b"), 0o755)
	})
}

// ScriptsEverywhere runs the testscript files of a directory on a directory,
// a Versity gateway and MinIO. $B is a bucket that no other script uses and
// that does not exist yet, $BARE a PATH without the tools.
func ScriptsEverywhere(t *testing.T, dir string) {
	t.Helper()
	for _, kind := range []struct {
		name  string
		start func(testing.TB) *storetest.Server
	}{{"file", nil}, {"versitygw", storetest.Versitygw}, {"minio", storetest.Minio}} {
		t.Run(kind.name, func(t *testing.T) {
			endpoint := "file://" + t.TempDir()
			vars := []string{}
			if kind.start != nil {
				server := kind.start(t)
				endpoint = server.Endpoint
				vars = storetest.Env(server)
			}
			scripts(t, dir, func(env *testscript.Env) error {
				for _, v := range vars {
					if strings.HasPrefix(v, "AWS_") {
						env.Vars = append(env.Vars, v)
					}
				}
				env.Setenv("BARE", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
				env.Setenv("AWS_ENDPOINT_URL", endpoint)
				env.Setenv("B", "bucket-"+strings.ReplaceAll(filepath.Base(env.WorkDir), "_", "-"))
				return nil
			})
		})
	}
}

func scripts(t *testing.T, dir string, setup func(*testscript.Env) error) {
	t.Helper()
	ScriptsWith(t, dir, setup, nil)
}

// Command is a command of scripts.
type Command = func(ts *testscript.TestScript, neg bool, args []string)

// ScriptsWith runs the testscript files of a directory with commands of the test's
// own beside those of Scripts. setup makes what each script finds.
func ScriptsWith(t *testing.T, dir string, setup func(*testscript.Env) error, more map[string]Command) {
	t.Helper()
	commands := map[string]Command{"exits": exits, "field": field}
	maps.Copy(commands, more)
	testscript.Run(t, testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		UpdateScripts:       Updating(),
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
				env.Setenv(name, os.DevNull)
			}
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			env.Setenv("LC_ALL", "C")
			env.Setenv("TZ", "UTC")
			env.Setenv("GORACE", noRaceWait)
			return setup(env)
		},
		Cmds: commands,
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	Exits(ts, args[0], args[1:]...)
}

// Exits runs a command and fails the script unless it ends with status.
func Exits(ts *testscript.TestScript, status string, command ...string) {
	want, err := strconv.Atoi(status)
	ts.Check(err)
	got := 0
	if err := ts.Exec(command[0], command[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			got = 128 + int(status.Signal())
		}
	}
	if got != want {
		ts.Fatalf("%s: exit status %d, not %d", fmt.Sprint(command), got, want)
	}
}

func field(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: field NAME FILE")
	}
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &object))
	text, ok := object[args[0]].(string)
	if !ok {
		ts.Fatalf("no text %q in %v", args[0], object)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}
