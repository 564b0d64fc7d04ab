//go:build !unix

package restore

import "io"

// abandoned would tell that nobody reads a pipe any more.
func abandoned(io.Writer) bool { return false }
