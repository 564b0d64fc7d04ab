package main

import (
	"slices"
	"strings"
)

// sourceMount is the key under which the file system of the source itself is
// remembered; the others have the names of their mount points.
const sourceMount = "."

// changedMounts compares the file systems below a source with those of the last
// run. whole tells that that of the source itself is another one.
func changedMounts(then, now map[string]string) (paths []string, whole bool) {
	if then == nil || now == nil {
		return nil, false
	}
	for path, id := range now {
		if then[path] != id {
			paths = append(paths, path)
		}
	}
	for path := range then {
		if _, still := now[path]; !still {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths, slices.Contains(paths, sourceMount)
}

// below returns a test for names, as tar stores them, of directories at or
// below one of the paths.
func below(paths []string) func(name string) bool {
	if len(paths) == 0 {
		return nil
	}
	prefixes := make([]string, len(paths))
	for i, p := range paths {
		prefixes[i] = strings.TrimPrefix(unescape(p), "/") + "/"
	}
	return func(name string) bool {
		name = strings.TrimPrefix(name, "./") + "/"
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) })
	}
}
