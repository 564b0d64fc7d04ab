package state

// noFollow is nothing: on Windows only administrators make symbolic links.
const noFollow = 0

// syncDir does nothing: Windows cannot sync a directory, NTFS journals renames.
func syncDir(string) error { return nil }
