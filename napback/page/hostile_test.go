package page

import (
	"strings"
	"time"

	"napback/internal/tooltest"
	"napback/napback/catalog"
	"napback/napback/standing"
	"napback/napback/state"
)

// markup is what somebody who can write into a bucket or name a directory may have
// chosen, to be more than text.
var markup = []string{
	`<script>window.hacked=1</script>`,
	`"><img src=http://outside.example/i onerror="window.hacked=1">`,
	`'/><svg onload=window.hacked=1><use href="http://outside.example/s#x"/>`,
	`</title></style></script><script>window.hacked=1</script>`,
	`<style>@import url(http://outside.example/c);body{display:none}</style>`,
	`<iframe src="http://outside.example/f"></iframe><base href=http://outside.example/>`,
	`<meta http-equiv=refresh content="0;url=http://outside.example/r">`,
	`{{.Policy}}{{template "card" .}}&#60;b&#62; javascript:alert(1)`,
	tooltest.Hostile,
	"Z" + strings.Repeat("\u0301\u0489", 200) + " \u05d0\u05d1\u05d2 \u0627\u0644\u0633",
	strings.Repeat("W", 1<<20),
	strings.Repeat("\U0001f525", 5000),
	"\xff\xfe" + strings.Repeat("\xc3", 1000),
	"",
}

// hostile is a page of which all texts are of that kind.
func hostile() Page {
	p := Page{Host: strings.Join(markup[:8], " "), At: at}
	for i, text := range markup {
		began := at.Add(-time.Hour)
		entry := func(run, kind, parent, date string) catalog.Entry {
			return catalog.Entry{
				Name: text, Run: run, State: catalog.Committed, Committed: began, Host: text, Owner: text, Bytes: 1 << 62,
				Meta: map[string]string{"job": text, "source": text, "type": kind, "slot": text, "date": date, "parent": parent, "warnings": text},
			}
		}
		a := catalog.Archives{Job: text, All: []catalog.Entry{
			entry("20261119T031540Z-aaaa", "FULL", "", "2026-11-19"), entry("b", "DIFF", text, "2026-11-20"), entry("c", text, text, "2026-11-21"),
			entry("d", "FULL", "", text), entry("e", "FULL", "", "9999-12-31"), entry("f", "FULL", "", "0001-01-01"),
		}, Doubtful: []catalog.Entry{{Name: text, Run: text, State: text, Error: text}}}
		s := standing.Standing{
			Job: text, Source: text, State: standing.Health(text), Last: text, Committed: &began, Type: text, Bytes: -1, Archives: 3, Oldest: text,
			Next: text, Reason: text,
		}
		if i%3 == 0 {
			s.State = standing.Healthy
		}
		p.Jobs = append(p.Jobs, Job{Standing: s, Schedule: daily, Today: today, Archives: a, Checked: text, Account: state.Account{
			Failing: &began,
			Attempt: &state.Attempt{Began: began, Ended: &began, Failed: i%2 == 0, Reason: text},
			Proof:   &state.Proof{At: began, Archive: text + ":" + text, Date: text, Failed: i%4 == 0, Reason: text, Proved: text},
		}})
	}
	return p
}
