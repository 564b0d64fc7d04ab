//go:build linux

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// recipes returns the programs for RunFinished that napback.conf(5) has, by the hosts
// that they call.
func recipes(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile("../man/napback.conf.5")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, block := range regexp.MustCompile(`(?s)\n\.Bd [^\n]*\n(#!/bin/sh\n.*?)\.Ed\n`).FindAllStringSubmatch(string(page), -1) {
		text := strings.ReplaceAll(block[1], `\e`, `\`)
		host := regexp.MustCompile(`https?://([^/:]+)`).FindStringSubmatch(text)
		if host == nil {
			t.Fatalf("no address in %s", text)
		}
		found[host[1]] = text
	}
	return found
}

// Each service gets a message as its own documentation asks for it.
func TestRecipesForRunFinished(t *testing.T) {
	s := newSite(t)
	s.write("a", "1")
	services := recipes(t)
	for host, check := range map[string]struct {
		path   string
		silent bool // about a success
		failed func(m map[string]any) bool
	}{
		"ntfy.sh": {"/", false, func(m map[string]any) bool {
			return m["topic"] != "" && strings.Contains(m["title"].(string), "FAILED (1 of 2 jobs)") &&
				strings.Contains(m["message"].(string), "last good unknown") && m["priority"] == 5.0
		}},
		"hooks.slack.com": {"/services/T0/B0/x", true, func(m map[string]any) bool {
			text := m["text"].(string)
			return len(m) == 1 && strings.Contains(text, "FAILED (1 of 2 jobs)\n```\nJOB ") && strings.HasSuffix(text, "\n```") &&
				strings.Contains(text, "/&lt;!channel&gt;&amp;") && !strings.Contains(text, "<!")
		}},
		"apprise.example.org": {"/notify/backups", false, func(m map[string]any) bool {
			return strings.Contains(m["title"].(string), "FAILED") && strings.Contains(m["body"].(string), "last good unknown") &&
				m["type"] == "failure" && m["format"] == "text"
		}},
	} {
		text, ok := services[host]
		if !ok {
			t.Errorf("there is no recipe for %s", host)
			continue
		}
		delete(services, host)
		m := newMonitor(t)
		hook := filepath.Join(s.dir, "finished "+host)
		s.must(os.WriteFile(hook, []byte(regexp.MustCompile(`https?://[^/]+`).ReplaceAllString(text, m.URL)), 0o700))
		finished := "RunFinished \"" + hook + "\"\n"
		s.configure(finished + s.block() + "Directory \"/nonexistent/<!channel>&\"\n")
		s.napback(1, day(0), "-f")
		calls, bodies := m.heard()
		var message map[string]any
		if len(calls) != 1 || calls[0] != check.path || json.Unmarshal([]byte(bodies[0]), &message) != nil || !check.failed(message) {
			t.Errorf("%s got %q %q", host, calls, bodies)
		}
		s.configure(finished + s.block())
		s.napback(0, day(0))
		if calls, bodies := m.heard(); (len(calls) == 0) != check.silent || len(calls) > 1 || len(calls) == 1 && strings.Contains(bodies[0], "FAILED") {
			t.Errorf("%s got %q %q of a success", host, calls, bodies)
		}
		// That the service does not answer as it should is told.
		m.refuse()
		s.configure(finished + "Directory /nonexistent/a\n")
		if e := s.napback(1, day(0)); !strings.Contains(e.stderr, "warning: RunFinished: ") || !strings.Contains(e.stderr, "404") {
			t.Errorf("%s: %v", host, e)
		}
	}
	for host := range services {
		t.Errorf("the recipe for %s is not tested", host)
	}
}
