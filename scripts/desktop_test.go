package scripts

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// A desktop without GNU tar: dated archives of what has changed, of which one that
// failed loses nothing, by either tar.
func TestADesktopIsBackedUpByDates(t *testing.T) {
	storetest.NotQuick(t, "makes keys")
	for _, tar := range []string{"bsdtar", "tar"} {
		t.Run(tar, func(t *testing.T) {
			store := tooltest.File(t)
			j := newJob(t, store)
			bin := t.TempDir()
			if err := os.Symlink(tooltest.System(t, tar), filepath.Join(bin, "tar")); err != nil {
				t.Fatal(err)
			}
			j.env = append(j.env, "PATH="+bin+":"+os.Getenv("PATH"))
			j.run(0, "s3put", "--create-bucket", "b:x", "--", "true")
			j.run(0, "s3rm", "-y", "b:x")
			public := filepath.Join(bin, "public")
			j.run(0, "sh", "-c", "gpg --export me@example.org >"+public)
			backup := func(status int, recipients string) {
				t.Helper()
				// Names tell the second.
				for start := time.Now().Unix(); time.Now().Unix() == start; {
					time.Sleep(10 * time.Millisecond)
				}
				j.run(status, "bash", "desktop.sh", "b", j.source, recipients, j.state)
			}
			j.write("first", "1")
			j.write("sub dir/second", "1")
			backup(0, public)
			j.write("first", "2")
			j.write("third", "3")
			backup(6, filepath.Join(bin, "absent"))
			j.write("fourth", "4")
			backup(0, public)

			names := strings.Fields(j.run(0, "sh", "-c", `s3ls --json b | jq -r 'select(.name).name | @uri'`))
			slices.Sort(names)
			if len(names) != 2 || !strings.HasSuffix(names[0], "-FULL") || !strings.HasSuffix(names[1], "-DIFF") {
				t.Fatalf("archives %q", names)
			}
			target := t.TempDir()
			for _, name := range names {
				name = strings.NewReplacer("%20", " ", "%2F", "/").Replace(name)
				list := j.run(0, "bash", "-o", "pipefail", "-c", `s3get "$1" | pgpipe -d -k "$2" | tar -xvf - -C "$3" 2>&1`, "bash", "b:"+name, j.secret, target)
				if strings.HasSuffix(name, "DIFF") && (strings.Contains(list, "second") || !strings.Contains(list, "third")) {
					t.Errorf("the DIFF holds %s", list)
				}
			}
			j.run(0, "diff", "-r", j.source, filepath.Join(target, filepath.Base(j.source)))
		})
	}
}
