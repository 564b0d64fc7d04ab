package tar

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"napback/napback/programs"
	"napback/napback/state"
)

// maxPatterns bounds an ExcludeFrom file, in bytes.
const maxPatterns = 1 << 20

// readPatterns reads patterns, one a line. Blank lines do not count; there are
// no comments, since a name may begin with #.
func readPatterns(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("ExcludeFrom: %w", err)
	}
	defer f.Close()
	data, err := programs.ReadAll(f, maxPatterns)
	if err != nil {
		return nil, fmt.Errorf("ExcludeFrom %q: %w", file, err)
	}
	var patterns []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\r\n"); strings.TrimSpace(line) != "" {
			patterns = append(patterns, line)
		}
	}
	return patterns, nil
}

// excludeOptions writes patterns as tar takes them. One that begins with / is
// compared with whole paths, others with any component; * does not match /.
// What napback itself keeps in a DiffDir inside the source changes while tar
// runs, and is of no use on another machine, so it is left out.
func excludeOptions(source string, patterns []string, diffDir string) []string {
	var anchored, floating []string
	for _, p := range patterns {
		trimmed := strings.TrimRight(p, "/")
		switch {
		case trimmed == "":
		case strings.HasPrefix(p, "/"):
			anchored = append(anchored, "--exclude="+memberPattern(source, trimmed))
		default:
			floating = append(floating, "--exclude="+trimmed)
		}
	}
	if Inside(diffDir, source) {
		for _, p := range state.Patterns() {
			anchored = append(anchored, "--exclude="+memberPattern(source, filepath.Join(escapePattern(diffDir), p)))
		}
	}
	var all []string
	if len(anchored)+len(floating) > 0 {
		// Patterns have wildcards by default. To say --wildcards would be
		// fatal: tar then leaves out all directories.
		all = append(all, "--no-wildcards-match-slash")
	}
	if len(anchored) > 0 {
		all = append(append(all, "--anchored"), anchored...)
	}
	if len(floating) > 0 {
		all = append(append(all, "--no-anchored"), floating...)
	}
	return all
}

// memberPattern makes a pattern of paths one of members: those of / are ./NAME.
func memberPattern(source, pattern string) string {
	pattern = strings.TrimLeft(pattern, "/")
	if source == "/" {
		return "./" + pattern
	}
	return pattern
}

func escapePattern(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}
