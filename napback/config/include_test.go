package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func sortLines(text string) []string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return lines
}

func TestIncludeReadsIntoTheScopeItStandsIn(t *testing.T) {
	from := memory{
		"/c/f":               "Include 'sub/main.conf'\n<Cycle c>\nInclude excludes\nDirectory /a\n</Cycle>\nDirectory /b\nInclude \"jobs d/*.conf\"\nInclude none/../jobs*/x*y\n",
		"/c/sub/main.conf":   "Bucket b\nInclude more.conf\n",
		"/c/sub/more.conf":   "DiffDir /d\n",
		"/c/excludes":        "Exclude one\nExclude two",
		"/c/jobs d/2.conf":   "Directory /2\n",
		"/c/jobs d/10.conf":  "<Directory /10>\nFulls 3\n</Directory>",
		"/c/jobs d/.1.conf":  "Wibble",
		"/c/jobs d/1.conf~":  "Wibble",
		"/c/jobs d/x/2.conf": "Wibble",
	}
	delete(from, "/c/none")
	c, err := load("/c/f", Env{}, from)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(c); got != "a b 10 2" {
		t.Errorf("jobs %q", got)
	}
	if a, b := c.Jobs[0], c.Jobs[1]; len(a.Settings.Options["Exclude"]) != 2 || len(b.Settings.Options["Exclude"]) != 0 {
		t.Errorf("an Include in a Cycle sets Exclude to %q in it and to %q outside", a.Settings.Options["Exclude"], b.Settings.Options["Exclude"])
	}
	if j := c.Jobs[2]; j.File != "/c/jobs d/10.conf" || j.Line != 1 {
		t.Errorf("%v is said to stand at %s:%d", j, j.File, j.Line)
	}
}

func TestIncludeThatCannotBeReadIsAnError(t *testing.T) {
	deep := memory{"f": required + "Directory /x\nInclude 1"}
	for i := 1; i <= 11; i++ {
		deep[fmt.Sprint(i)] = fmt.Sprintf("Include %d\n", i+1)
	}
	for _, c := range []struct {
		from memory
		want string
	}{
		{memory{"f": "Include a", "a": "Include b", "b": "Include a"}, `b:1: Include "a": "a" is being read already, it includes itself`},
		{memory{"f": "Include ./f"}, `f:1: Include "./f": "f" is being read already, it includes itself`},
		{memory{"f": "Include absent"}, `f:1: Include "absent": read "absent": file does not exist`},
		{memory{"f": "Include d/*.conf"}, `f:1: Include "d/*.conf": read directory "d": file does not exist`},
		{memory{"f": "Include d/*.conf", "d/a.conf": "", "d/": ""}, `f:1: Include "d/*.conf": read directory "d": permission denied`},
		{memory{"f": "Include */a.conf", "./": ""}, `f:1: Include "*/a.conf": read directory ".": permission denied`},
		{memory{"f": "Include [a"}, `f:1: Include "[a": a bracket that is not closed, or another error in the pattern`},
		{memory{"f": "Include big", "big": strings.Repeat("#", maxFile+1)}, `f:1: Include "big": read "big": more than 1.0 MB`},
		{memory{"f": "Include a", "a": "<Cycle c>\n"}, `a:1: <Cycle c> is never closed: want </Cycle>`},
		{memory{"f": "<Cycle c>\nInclude a\n</Cycle>", "a": "</Cycle>\n"}, `a:1: </Cycle> closes nothing: no block is open`},
		{deep, `10:1: Include "11": files that include files go more than 10 deep`},
	} {
		got := reasons(t, c.from)
		if !slices.Contains(strings.Split(got, "\n"), c.want) {
			t.Errorf("%q:\n got %s\nwant %s", c.from["f"], got, c.want)
		}
	}
}

func TestAPatternFindsWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"f":              required + "Directory /x\nInclude sub.d/*/n.conf\nInclude none/*.conf\n",
		"sub.d/a/n.conf": "Directory /a",
		"sub.d/b/other":  "Wibble",
		"sub.d/file":     "Wibble",
		"none/x":         "Wibble",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "f"), Env{})
	if err != nil {
		t.Fatal(err)
	}
	if got := names(c); got != "x a" {
		t.Errorf("jobs %q", got)
	}
}
