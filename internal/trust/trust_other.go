//go:build !unix

package trust

import (
	"io/fs"
	"path/filepath"
)

// rule trusts everything.
type rule struct{}

func current() rule { return rule{} }

func (rule) file(string) error               { return nil }
func (rule) directory(string) error          { return nil }
func (rule) way(path string) (string, error) { return filepath.EvalSymlinks(path) }
func (rule) temp(string) error               { return nil }
func (rule) log(string) error                { return nil }
func (rule) owner(string, fs.FileInfo) error { return nil }
