package tar

import (
	"errors"
	"time"
)

// place is a file as the file system describes it.
type place struct {
	dev, ino          uint64
	dir               bool
	modified, changed time.Time
}

// lookAt tells nothing here.
func lookAt(string) (place, error) { return place{}, errors.ErrUnsupported }
