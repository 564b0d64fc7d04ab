package config

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"napback/napback/source/kinds"
)

const manualPath = "../../man/napback.conf.5"

func manual(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(manualPath)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEveryDirectiveIsInTheManual(t *testing.T) {
	text := manual(t)
	names := []string{cycleBlock, nameSetting, includeLine}
	for _, kind := range kinds.All() {
		names = append(names, kind.Name)
	}
	for _, d := range directives(kinds.All()) {
		names = append(names, d.name)
	}
	for _, name := range names {
		if !regexp.MustCompile(`(?m)^\.It (.* )?Ic <?` + name + ` `).MatchString(text) {
			t.Errorf("%s is not in %s", name, manualPath)
		}
	}
}

func TestTheManualsConfigurationsParse(t *testing.T) {
	text := manual(t)
	blocks := regexp.MustCompile(`(?s)\.Bd -literal -offset indent\n(.*?)\.Ed`).FindAllStringSubmatch(text, -1)
	blocks = slices.DeleteFunc(blocks, func(b []string) bool { return strings.HasPrefix(b[1], "#!") }) // programs
	want := []string{"etc home", "PostgreSQL/all", "Command/packages Command/ldap", "web1/ROOT web1/home web1/disk/home", "srv/photo archive music",
		"Command/app.db", "Command/shop", "Command/pool.btrfs Command/tank.zfs", "srv"}
	if len(blocks) != len(want) {
		t.Fatalf("the manual has %d configurations, want %d", len(blocks), len(want))
	}
	for i, block := range blocks {
		path := fmt.Sprint("/c/", i)
		config := strings.ReplaceAll(block[1], `\e`, `\`)
		if !strings.Contains(config, "DiffDir") { // only what is special about it
			config = required + config
		}
		c, err := load(path, Env{Host: "web1"}, memory{path: config})
		if err != nil {
			t.Error(err)
			continue
		}
		if got := names(c); got != want[i] {
			t.Errorf("configuration %d has the jobs %s, want %s", i, got, want[i])
		}
	}
}
