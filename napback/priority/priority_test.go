package priority

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"napback/internal/shell"
	"napback/napback/chain"
)

func TestWrap(t *testing.T) {
	both := Programs{"/bin/nice", "/bin/ionice"}
	argv := []string{"/bin/tar", "-c", "--", "a b"}
	cases := []struct {
		p    Programs
		nice int
		want string
	}{
		{both, 0, ""},
		{both, 10, "/bin/nice -n 10 /bin/ionice -t -c 2 -n 7 "},
		{both, 19, "/bin/nice -n 19 /bin/ionice -t -c 2 -n 7 "},
		{both, -5, "/bin/nice -n -5 "},
		{Programs{Nice: "/bin/nice"}, 10, "/bin/nice -n 10 "},
		{Programs{IONice: "/bin/ionice"}, 10, "/bin/ionice -t -c 2 -n 7 "},
		{Programs{}, 10, ""},
	}
	for _, c := range cases {
		want := append(strings.Fields(c.want), argv...)
		if got := c.p.Wrap(argv, c.nice); !slices.Equal(got, want) {
			t.Errorf("%+v, %d: %q", c.p, c.nice, got)
		}
		s := chain.Stage{Name: "tar", Path: argv[0], Args: argv[1:], Env: []string{"A=b"}}
		got := c.p.Stage(s, c.nice)
		if got.Name != "tar" || got.String() != shell.Quote(want...) {
			t.Errorf("stage %v", got)
		}
	}
	if !slices.Equal(argv, []string{"/bin/tar", "-c", "--", "a b"}) {
		t.Errorf("argv was changed: %q", argv)
	}
}

// number reads what a program has printed.
func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestStageRunsAtTheLowerPriority(t *testing.T) {
	p := Find(t.Context(), os.Environ())
	if p.Nice == "" {
		t.Fatal("no nice on this machine")
	}
	before, err := exec.Command(p.Nice).Output()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	tell := "nice"
	if p.IONice != "" {
		tell += "; ionice"
	}
	s := chain.Stage{Name: "sh", Path: "/bin/sh", Args: []string{"-c", tell + "; exit 3"}, Env: chain.Environ(os.Environ())}
	status, err := (&chain.Chain{Stages: []chain.Stage{p.Stage(s, 5)}, Out: out}).Run(t.Context())
	if err == nil || chain.Summary(status) != "sh 3" {
		t.Errorf("ended as %s, %v", chain.Summary(status), err)
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	if got, want := number(t, first), min(number(t, string(before))+5, 19); got != want {
		t.Errorf("niceness %d, want %d", got, want)
	}
	if p.IONice != "" && strings.TrimSpace(rest) != "best-effort: prio 7" {
		t.Errorf("disk priority %q", rest)
	}
}

func TestProgramThatCannotBeTrustedIsNotUsed(t *testing.T) {
	const good = `shift 2; exec "$@"`
	cases := []struct {
		name, nice, ionice string
		want               Programs // names only
	}{
		{"both work", good, `shift 5; exec "$@"`, Programs{"nice", "ionice"}},
		{"ionice is refused", good, "exit 1", Programs{Nice: "nice"}},
		{"failure that looks like tar's warning", good, `shift 5; [ "$1" = true ]`, Programs{Nice: "nice"}},
		{"killed", "kill -9 $$", "kill -9 $$", Programs{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"nice": c.nice, "ionice": c.ionice} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PATH", dir+":/bin:/usr/bin")
			want := c.want
			for _, path := range []*string{&want.Nice, &want.IONice} {
				if *path != "" {
					*path = filepath.Join(dir, *path)
				}
			}
			if got := Find(t.Context(), os.Environ()); got != want {
				t.Errorf("got %+v", got)
			}
		})
	}
	t.Setenv("PATH", t.TempDir())
	if got := Find(t.Context(), os.Environ()); got != (Programs{}) {
		t.Errorf("got %+v without any", got)
	}
}
