// Package archive stores byte streams as archives: numbered chunks, their
// SHA-256 sums and, written last, the manifest whose existence commits them.
package archive
