package restore

import (
	"fmt"
	"strings"

	"napback/internal/cli"
	"napback/napback/catalog"
	"napback/napback/unpack"
)

// Request is what is to be restored.
type Request struct {
	From   unpack.Reader // reads its archives
	Job    string        // the name of the archives
	Point  catalog.RecoveryPoint
	Source string // what the archives were made of, without its kind
	To     string // the destination
}

// Done tells how a restore ended.
type Done struct {
	What, Where string
	Warnings    bool // there were some, and they have been told
}

// Announce says what is going to be restored.
func (r *Request) Announce() {
	var names []string
	for _, a := range r.Point.Chain {
		names = append(names, fmt.Sprintf("%s (%s, %s)", a.Name, a.Date(), cli.FormatSize(a.Bytes)))
	}
	r.From.Log.Notef("%s of host %s as of %s, from %s", cli.Safe(r.Point.Source()), cli.Safe(r.Point.Host), cli.Safe(r.Point.Date()), cli.Safe(strings.Join(names, ", ")))
}

// show begins to show how far the reading of archives is.
func (r *Request) show(doing string, archives []catalog.Entry) {
	var bytes int64
	for _, a := range archives {
		bytes += a.Bytes
	}
	r.From.Progress.Begin(doing + " " + r.Job)
	r.From.Progress.Expect(bytes, false)
	r.From.Progress.Pause() // until it is sure that nobody is asked for a passphrase
}
