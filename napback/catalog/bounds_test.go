package catalog

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// endless repeats a text for ever.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

// A bucket may be filled with archives, and an archive's meta with values.
func TestListingsAreBounded(t *testing.T) {
	for name, line := range map[string]string{
		"small": `{"bucket":"b","name":"n","run":"20261120T031502Z-k3f9","state":"incomplete"}`,
		"large": `{"bucket":"b","name":"n","run":"20261120T031502Z-k3f9","state":"committed","meta":{"k":"` + strings.Repeat("x", 60_000) + `"}}`,
	} {
		l, err := Read(&endless{text: line + "\n"})
		if !errors.Is(err, ErrTooMuch) || len(l.Entries) < 1000 || len(l.Entries) > maxListing/512 {
			t.Errorf("%s: %d entries, %v", name, len(l.Entries), err)
		}
	}
	var meta strings.Builder
	for i := range maxMeta + 1 {
		fmt.Fprintf(&meta, `"%d":"",`, i)
	}
	many := `{"name":"n","meta":{` + meta.String() + `"job":"home"}}`
	if l, err := Read(strings.NewReader(many)); err != nil || len(l.Entries) != 1 || l.Entries[0].Meta != nil {
		t.Errorf("many values: %v, %v", l, err)
	}
	// What a bucket of many hosts holds is taken.
	ours := strings.Repeat(`{"bucket":"b","name":"home-3-DIFF","run":"20261120T031502Z-k3f9","state":"committed","host":"web1","owner":"`+
		strings.Repeat("o", 26)+`","parent":"20261119T031502Z-k3f9","meta":{"job":"home","source":"Directory /home","type":"DIFF","slot":"3",`+
		`"date":"2026-11-20","chain":"20261117T031502Z-k3f9","parent":"20261119T031502Z-k3f9","compression":"zstd","encryption":"`+
		strings.Repeat("F", 40)+`","unpack":"tar --extract --listed-incremental=/dev/null","stages":"tar 0 zstd 0 pgpipe 0 s3put 0","machine":"`+
		strings.Repeat("m", 64)+`"}}`+"\n", 30_000)
	if l, err := Read(io.LimitReader(strings.NewReader(ours), int64(len(ours)))); err != nil || len(l.Entries) != 30_000 {
		t.Errorf("%d entries, %v", len(l.Entries), err)
	}
}
