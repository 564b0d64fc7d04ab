// Package dumpdir reads what a GNU tar archive made with --listed-incremental
// says of its source: beside the files that it holds, it lists for every
// directory what the directory held (GNU tar manual, "Dumpdir"), so that a file
// that is gone can be told from one that has not changed.
//
// tar can print these lists, but not so that names with line ends in them could
// be told apart, and the standard library's reader refuses the header of a
// directory with more than about 50,000 files. So the guard's reader is used: of
// two readers one could see another archive than the other.
package dumpdir

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"napback/napback/guard"
)

// Member is a member of an archive.
type Member struct {
	Name string // as stored, without slashes at its end
	Type byte   // as in the header: '0' file, '5' directory, '2' symbolic link, '1' hard link, ...
	Link string // target of a link
	// Contents are what a directory held, if lists are read; else nil.
	Contents []Item
}

// IsDir reports whether the member is a directory: in GNU's older format it has
// its list as contents.
func (m *Member) IsDir() bool { return m.Type == '5' || m.Type == 'D' }

// Item is an entry of a directory.
type Item struct {
	Name string
	Kind byte // Stored, Unchanged or Dir
}

// The kinds of items.
const (
	Stored    = 'Y' // the archive holds it
	Unchanged = 'N' // an earlier archive holds it
	Dir       = 'D' // a directory
)

// maxList and maxItems bound what is kept of one directory's list, in bytes and
// entries.
const (
	maxList  = 128 << 20
	maxItems = 4 << 20
)

// ErrTooLarge is wrapped by errors about a directory with more entries than can
// be kept in memory.
var ErrTooLarge = errors.New("more than can be listed")

// Read calls each for every member of an archive that has come through the guard,
// in order. It reads r to its end. Without lists, no member has Contents, and
// memory is bounded by little; with them, by the largest directory, and that by
// ErrTooLarge. An archive that is damaged, or that does not end with its end marker
// (tar takes one for whole that was cut between two members), is an error with the
// code cli.Integrity; errors of each end it and are returned as they are.
func Read(r io.Reader, lists bool, each func(*Member) error) error {
	var list []byte
	entries := 0
	v := guard.Visitor{Member: func(name, link string, kind byte) error {
		m := &Member{Name: name, Type: kind, Link: link}
		if trimmed := strings.TrimRight(name, "/"); trimmed != "" {
			m.Name = trimmed
		}
		if lists && m.IsDir() {
			m.Contents = items(list, entries)
		}
		list, entries = list[:0], 0
		return each(m)
	}}
	if lists {
		v.Item = func(entry []byte) error {
			if list, entries = append(list, entry...), entries+1; entries > maxItems || len(list) > maxList {
				return fmt.Errorf("%w: a directory of %d entries or more", ErrTooLarge, entries)
			}
			return nil
		}
	}
	return guard.Walk(r, v)
}

// items takes a list of n entries apart.
func items(list []byte, n int) []Item {
	all := make([]Item, 0, n)
	for entry := range strings.SplitSeq(string(list), "\x00") { // the names share its memory
		if entry != "" {
			all = append(all, Item{Name: entry[1:], Kind: entry[0]})
		}
	}
	return all
}
