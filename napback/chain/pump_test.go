//go:build unix

package chain

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"napback/internal/storetest"
)

var errBad = errors.New("bad end")

// writer is a function as an io.Writer.
type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// reader is a function as an io.Reader.
type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

// failing reads some data, and then fails.
func failing(data string) io.Reader {
	return io.MultiReader(strings.NewReader(data), iotest.ErrReader(errBad))
}

// grace is so long that a test which needs it does not end.
const grace = time.Hour

func TestReadersAndWritersAreTheEndsOfAChain(t *testing.T) {
	for _, size := range []int{0, 1, 1 << 16, 3<<20 + 1} {
		data := bytes.Repeat([]byte("abcdefg"), size/7+1)[:size]
		var out bytes.Buffer
		c := Chain{Stages: []Stage{sh("a", "cat"), sh("b", "cat")}, In: bytes.NewReader(data), Out: &out}
		if status, err := c.Run(t.Context()); err != nil || !bytes.Equal(out.Bytes(), data) || Summary(status) != "a 0, b 0" {
			t.Errorf("%d bytes: got %d, %v, %s", size, out.Len(), err, Summary(status))
		}
	}
}

func TestNilFilesAreTheNullDevice(t *testing.T) {
	var none *os.File
	c := Chain{Stages: []Stage{sh("a", "cat; echo x")}, In: none, Out: none}
	if _, err := c.Run(t.Context()); err != nil {
		t.Error(err)
	}
}

// None may take a part of the input for the whole.
func TestAnInputThatFailsReachesNoEnd(t *testing.T) {
	for name, stages := range map[string]func(file string) []Stage{
		"a chain": func(file string) []Stage { return []Stage{sh("a", `cat && echo whole >"$1"`, file), sh("b", "cat")} },
		"a stubborn stage": func(file string) []Stage {
			return []Stage{sh("a", `trap "" TERM; cat; echo whole >"$1"`, file)}
		},
		"with a sink": func(file string) []Stage { return []Stage{sh("a", "cat"), sink(file)} },
		"a sink":      func(file string) []Stage { return []Stage{sink(file)} },
		"a sink that asks for its commit first": func(file string) []Stage {
			return []Stage{sh("sink", `echo b:n:R; read -r word <&3 && echo whole >"$1"; exit 6`, file)}
		},
	} {
		for _, data := range []string{"", "part", strings.Repeat("more than a pipe holds", 1<<16)} {
			if len(data) > 4 && strings.Contains(name, "first") {
				continue // it would wait for ever for who reads it
			}
			t.Run(name, func(t *testing.T) {
				file := filepath.Join(t.TempDir(), "stored")
				c := Chain{Stages: stages(file), In: failing(data), Grace: 100 * time.Millisecond}
				if strings.Contains(name, "sink") {
					c.Commit = func(string, []Status) (map[string]string, error) {
						t.Error("was asked to commit")
						return nil, nil
					}
				}
				_, err := c.Run(t.Context())
				if !errors.Is(err, errBad) || err.Error() != "input of "+c.Stages[0].Name+": bad end" {
					t.Errorf("err = %v", err)
				}
				if exists(file) {
					t.Error("a part was taken for the whole")
				}
			})
		}
	}
}

func TestAnInputThatNobodyReadsOrThatNeverEndsHoldsNothing(t *testing.T) {
	storetest.NotQuick(t, "waits for what never ends")
	never, closed := io.Pipe()
	defer closed.Close()
	endless := reader(func(p []byte) (int, error) { return len(p), nil })
	for name, in := range map[string]io.Reader{"never": never, "endless": endless} {
		for script, want := range map[string]string{"exit 0": "", "exec <&-": "", "echo no >&2; exit 3": "a: exit status 3: no"} {
			c := Chain{Stages: []Stage{sh("a", script), sh("b", "cat")}, In: in, Grace: grace}
			if _, err := c.Run(t.Context()); want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
				t.Errorf("%s, %q: %v", name, script, err)
			}
		}
	}
}

func TestACommitWaitsForTheInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "stored")
	in, feed := io.Pipe()
	asked := make(chan struct{})
	c := Chain{Stages: []Stage{sink(file)}, In: in, Commit: func(string, []Status) (map[string]string, error) {
		close(asked)
		return nil, nil
	}}
	go func() {
		for range 3 {
			_, _ = io.WriteString(feed, "data\n")
			select {
			case <-asked:
				t.Error("commit before the end of input")
			default:
			}
		}
		feed.Close()
	}()
	_, err := c.Run(t.Context())
	if got, _ := os.ReadFile(file); err != nil || string(got) != "data\ndata\ndata\n" {
		t.Errorf("stored %q, %v", got, err)
	}
}

func TestAnOutputThatFailsEndsTheChain(t *testing.T) {
	bad := writer(func([]byte) (int, error) { return 0, errBad })
	for name, script := range map[string]string{
		"writes on":       "while echo data; do :; done",
		"ignores SIGPIPE": "trap '' PIPE; while echo data; do :; done 2>/dev/null; echo 'write error: Broken pipe' >&2; exit 1",
		"is silent":       "echo data; exec sleep 600",
		"ended well":      "echo data",
		"closes it":       "echo data; exec >&-; cat >/dev/null",
	} {
		t.Run(name, func(t *testing.T) {
			c := Chain{Stages: []Stage{sh("a", script), sh("b", "cat")}, Out: bad, Grace: 100 * time.Millisecond}
			if _, err := c.Run(t.Context()); !errors.Is(err, errBad) {
				t.Errorf("err = %v", err)
			}
		})
	}
}

func TestAStageThatFailedBeforeItsReaderIsTheCause(t *testing.T) {
	c := Chain{Stages: []Stage{sh("a", "echo cut; exit 3")}}
	_, err := c.Reading(t.Context(), func(from io.Reader) error {
		data, err := io.ReadAll(from)
		if string(data) != "cut\n" || err != nil {
			t.Errorf("read %q, %v", data, err)
		}
		return errBad // as who misses the rest
	})
	if err == nil || err.Error() != "a: exit status 3" {
		t.Errorf("err = %v", err)
	}
}

func TestAReaderSeesTheEndWhenAllStagesHaveEnded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ended")
	in, feed := io.Pipe()
	c := Chain{Stages: []Stage{sh("a", `echo x; exec >&-; read -r go; echo >"$1"`, file)}, In: in}
	_, err := c.Reading(t.Context(), func(from io.Reader) error {
		var one [2]byte
		if _, err := io.ReadFull(from, one[:]); err != nil {
			return err
		}
		go func() {
			_, _ = io.WriteString(feed, "go\n")
			feed.Close()
		}()
		if n, err := from.Read(one[:]); n != 0 || err != io.EOF || !exists(file) {
			t.Errorf("%d, %v, ended %v", n, err, exists(file))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestAReaderThatTakesNoMoreEndsTheChain(t *testing.T) {
	for want, take := range map[error]func(io.Reader) error{
		errBad: func(io.Reader) error { return errBad },
		nil:    func(io.Reader) error { return nil },
	} {
		c := Chain{Stages: []Stage{sh("a", "while echo data; do :; done"), sh("b", "cat")}, Grace: grace}
		_, err := c.Reading(t.Context(), take)
		var failed *Error
		if want != nil && !errors.Is(err, want) || want == nil && (!errors.As(err, &failed) || failed.Cause.Stage != "b") {
			t.Errorf("want %v: %v", want, err)
		}
	}
}

func TestCancelEndsAChainWhoseEndsAreStuck(t *testing.T) {
	storetest.NotQuick(t, "waits for what never ends")
	stopped := errors.New("stopped")
	never, closed := io.Pipe()
	release := make(chan struct{})
	for name, c := range map[string]Chain{
		"input":             {Stages: []Stage{sh("a", "cat")}, In: never},
		"output":            {Stages: []Stage{sh("a", "while echo data; do :; done")}},
		"output, all ended": {Stages: []Stage{sh("a", "echo data")}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			c.Grace = grace
			if c.In != nil {
				time.AfterFunc(0, func() { cancel(stopped) })
			} else {
				c.Out = writer(func([]byte) (int, error) {
					cancel(stopped)
					<-release
					return 0, errBad
				})
			}
			if _, err := c.Run(ctx); !errors.Is(err, stopped) {
				t.Errorf("err = %v", err)
			}
		})
	}
	close(release)
	closed.Close()
}

// What was written before the end is all there, however slowly it is read; who
// holds the output open after it is not waited for.
func TestAProcessLeftBehindHoldsNoOutput(t *testing.T) {
	storetest.NotQuick(t, "waits for what never ends")
	for script, left := range map[string]string{
		`yes | head -c 60000; sleep 600 & echo $! >"$1"`:                                 "left behind",
		`yes | head -c 60000; (while echo more; do :; done) & echo $! >"$1"`:             "left behind",
		`yes | head -c 60000; (trap "" PIPE; exec sleep 600) >/dev/null & echo $! >"$1"`: "",
	} {
		pid := filepath.Join(t.TempDir(), "pid")
		c := Chain{Stages: []Stage{sh("a", script, pid)}}
		var got int
		_, err := c.Reading(t.Context(), func(from io.Reader) error {
			for one := make([]byte, 1000); ; {
				n, err := from.Read(one)
				if got += n; err == io.EOF {
					return nil
				} else if err != nil {
					return err
				}
				if got < 60000 {
					time.Sleep(stderrDelay / 50) // as a slow reader does
				}
			}
		})
		if left == "" && err != nil || left != "" && (err == nil || !strings.Contains(err.Error(), left)) || got < 60000 {
			t.Errorf("%s: %d bytes, %v", script, got, err)
		}
		end := sh("kill", `kill -9 $(cat "$1")`, pid)
		_, _ = (&Chain{Stages: []Stage{end}}).Run(t.Context())
	}
}
