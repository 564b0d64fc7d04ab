package cli

import (
	"io"
	"os"
)

// IsClosed reports whether a standard stream was closed when the process
// began, as with `<&-` in a shell. Go then puts the null device in its place,
// opened for reading and writing. Those who mean the null device open it in one
// direction only.
func IsClosed(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	null, err := os.Stat(os.DevNull)
	if err != nil {
		return false
	}
	info, err := file.Stat()
	if err != nil {
		return true // it is no open file at all
	}
	if !os.SameFile(info, null) {
		return false
	}
	// What is open for one direction only fails in the other.
	if _, err := file.Write([]byte{0}); err != nil {
		return false
	}
	_, err = file.Read(make([]byte, 1))
	return err == io.EOF
}
