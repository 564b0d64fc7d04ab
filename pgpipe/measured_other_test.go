//go:build !linux

package main

// measured is for tests of memory, which only Linux can make.
func measured() { panic("not on this system") }
