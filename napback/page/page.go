// Package page draws how all jobs stand as one HTML page: what needs somebody
// first, then every job with its restore points, chains and sizes over time.
//
//  1. status judges each job, and hands over what it judged by (Job).
//  2. newView sorts the jobs and puts all that is said of them into bounded, safe
//     text and into the coordinates of drawings. It reads no clock and no file.
//  3. The template writes it, and escapes whatever it is given.
//
// The page stands alone. It fetches nothing and sends nothing: its policy forbids
// both, and allows its own style and its own script by their hashes, no others.
// The script only tells a reader that the page is old. Names and reasons may come
// from a hostile bucket: they are text, on one line, and of a bounded length. So is
// the page: a job takes some kilobytes at most, whatever is stored of it.
package page

import (
	"crypto/sha256"
	_ "embed" // the template, the style and the script
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"time"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/standing"
	"napback/napback/state"
)

// Page is what a page tells of a host.
type Page struct {
	Host string
	// At is when it is made; times are shown in its location.
	At   time.Time
	Jobs []Job
}

// Job is one job, and what it was judged by.
type Job struct {
	Standing standing.Standing
	// Schedule says which days are due, and Today which day it is for the job.
	Schedule slot.Schedule
	Today    slot.Date
	// Archives are what the bucket has of it.
	Archives catalog.Archives
	// Checked is the last date on which there was nothing new to store, or "".
	Checked string
	// Account is what this host remembers of its runs; empty if nothing.
	Account state.Account
}

var (
	//go:embed page.html
	templateText string
	//go:embed page.css
	style string
	//go:embed page.js
	script string
)

// Write writes the page.
func Write(w io.Writer, p Page) error {
	t, err := template.New("page").Parse(templateText)
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	if err := t.Execute(w, newView(p)); err != nil {
		return fmt.Errorf("write page: %w", err)
	}
	return nil
}

// policy lets nothing in but the style and the script of this very page, and
// nothing out.
func policy() string {
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(style) + "; script-src " + hash(script) +
		"; img-src data:; base-uri 'none'; form-action 'none'"
}
