package chain

import (
	"slices"
	"strings"
)

// harmless are the variables that every stage gets. Others may hold secrets, or
// change what a program does behind our back, as TAR_OPTIONS and GZIP can.
var harmless = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TZDIR", "TMPDIR", "TEMP", "TMP",
	"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "GNUPGHOME", "GPG_TTY", "XDG_*", "GOCOVERDIR", "GORACE",
	"SYSTEMROOT", "COMSPEC", "PATHEXT", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
}

// Store are the variables that a program needs which talks to a store: the
// SDK's settings and its ways to credentials, proxies, and whom TLS trusts.
// Passwords of databases are not among them.
func Store() []string {
	return []string{
		"AWS_*", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GODEBUG",
		"LANG", "LC_*", "SYSTEMDRIVE", "PROGRAMDATA", "HOMEDRIVE", "HOMEPATH",
	}
}

// Environ returns the environment for a stage, made from base (as os.Environ
// returns it): the harmless variables, those that keep names, and LC_ALL=C, so
// that messages are in one language. A name that ends in * stands for all that
// begin so. The AWS_* variables are kept only if asked for.
func Environ(base []string, keep ...string) []string {
	return Only(base, slices.Concat(harmless, keep)...)
}

// Only is Environ without the harmless variables.
func Only(base []string, names ...string) []string {
	var env []string
	for _, entry := range base {
		name, _, _ := strings.Cut(entry, "=")
		if name != "LC_ALL" && slices.ContainsFunc(names, func(pattern string) bool { return matches(pattern, name) }) {
			env = append(env, entry)
		}
	}
	return append(env, "LC_ALL=C")
}

// matches compares as Windows does, where names ignore case: a variable that
// differs only in case is as harmless.
func matches(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
	}
	return strings.EqualFold(pattern, name)
}
