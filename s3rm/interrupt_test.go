package main

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"napback/internal/storetest"
	"napback/internal/tooltest"
)

// TestQuestionEndsWithCtrlC: at the first one, and nothing is removed.
func TestQuestionEndsWithCtrlC(t *testing.T) {
	store := tooltest.File(t)
	store.Must(t, nil, "s3put", "--create-bucket", "bkt:x", "--", "printf", "text")
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	p := store.Start(t, in, "script", "-qefc", "s3rm bkt:x", "/dev/null")
	in.Close()
	tooltest.Until(t, "the question", func() bool { return strings.Contains(p.Stdout(), "[y/N]") })
	io.WriteString(out, "\x03")
	if r := p.Wait(); r.Code != 130 || !strings.Contains(r.Out, "s3rm: error: interrupted by SIGINT") {
		t.Errorf("exit status %d\n%s", r.Code, r.Out)
	}
	store.Reads(t, "bkt:x", []byte("text"))
}

// TestRunThatIsCommittedDuringTheQuestionStays: it was incomplete when it was
// looked for.
func TestRunThatIsCommittedDuringTheQuestionStays(t *testing.T) {
	store := tooltest.File(t)
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	put := store.Start(t, in, "s3put", "-v", "--create-bucket", "-z", "4", "bkt:x")
	in.Close()
	io.WriteString(out, "text")
	tooltest.Until(t, "a chunk", func() bool { return strings.Contains(put.Stderr(), "stored chunk 0") })
	answer, say, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	rm := store.Start(t, answer, "script", "-qefc", "s3rm --incomplete --older-than 0s bkt", "/dev/null")
	answer.Close()
	tooltest.Until(t, "the question", func() bool { return strings.Contains(rm.Stdout(), "[y/N]") })
	out.Close()
	if r := put.Wait(); r.Code != 0 {
		t.Fatal(r.Err)
	}
	io.WriteString(say, "y\n")
	if r := rm.Wait(); r.Code != 1 || !strings.Contains(r.Out, "has been committed meanwhile and stays") {
		t.Errorf("exit status %d\n%s", r.Code, r.Out)
	}
	say.Close()
	store.Reads(t, "bkt:x", []byte("text"))
}

// TestInterruptedRemovalLeavesNoDamagedArchive: the manifest goes first.
func TestInterruptedRemovalLeavesNoDamagedArchive(t *testing.T) {
	server := storetest.Versitygw(t)
	proxy := storetest.NewProxy(t, server.Endpoint)
	store := tooltest.Server(server, proxy.URL)
	store.Must(t, nil, "s3put", "--create-bucket", "-z", "10", "bkt:x", "--", "head", "-c", "100", "/dev/zero")
	come := make(chan struct{})
	proxy.Inject(storetest.Fault{Stall: true, Times: 1, Match: func(r *http.Request) bool {
		if r.Method != http.MethodPost { // the chunks, in one request
			return false
		}
		close(come)
		return true
	}})
	p := store.Start(t, nil, "s3rm", "-y", "bkt:x")
	<-come
	p.Signal(os.Kill)
	p.Wait()
	if r := store.Run(t, nil, "s3get", "bkt:x"); r.Code != 4 || r.Out != "" {
		t.Errorf("exit status %d\n%s", r.Code, r.Err)
	}
	if out := store.Must(t, nil, "s3ls", "-r", "bkt"); !strings.Contains(out, " incomplete ") {
		t.Errorf("s3ls -r shows %q", out)
	}
	store.Must(t, nil, "s3rm", "-y", "--incomplete", "--older-than", "0s", "bkt")
	if out := store.Must(t, nil, "s3ls", "-a", "bkt"); out != "" {
		t.Errorf("there is left %q", out)
	}
}
