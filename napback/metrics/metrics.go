// Package metrics writes how jobs stand in the text format of Prometheus, for the
// textfile collector of its node_exporter. Text is pure.
//
// A value that is not known is left out: it never keeps what it was, nor is it zero.
// Each job is told apart by the labels config and backup_job (job is Prometheus' own).
package metrics

import (
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"napback/napback/standing"
	"napback/napback/state"
)

// family is a metric of jobs. value tells ok = false where there is none.
type family struct {
	name, help string
	value      func(s standing.Standing) (v float64, ok bool)
}

// families are those of jobs, but for state and info, which have labels of their own.
func families() []family {
	return []family{
		{"last_attempt_timestamp_seconds", "When the last run that was to back up ended, or began if it has no end.", func(s standing.Standing) (float64, bool) {
			return attempt(s.Attempt, func(a state.Attempt) float64 { return seconds(a.At()) })
		}},
		{"last_attempt_failed", "Whether that run failed or was killed.", func(s standing.Standing) (float64, bool) {
			return attempt(s.Attempt, func(a state.Attempt) float64 { return truth(a.Failed) })
		}},
		{"last_success_timestamp_seconds", "When the last good run ended.", func(s standing.Standing) (float64, bool) {
			return attempt(s.Success, func(a state.Attempt) float64 { return seconds(a.At()) })
		}},
		{"duration_seconds", "How long the last good run took.", func(s standing.Standing) (float64, bool) {
			return attempt(s.Success, func(a state.Attempt) float64 { return max(0, a.At().Sub(a.Began).Seconds()) })
		}},
		{"read_bytes", "Bytes that the last good run read from the source.", func(s standing.Standing) (float64, bool) {
			return attempt(s.Success, func(a state.Attempt) float64 { return float64(a.Read) })
		}},
		{"stored_bytes", "Bytes that the last good run stored.", func(s standing.Standing) (float64, bool) {
			return attempt(s.Success, func(a state.Attempt) float64 { return float64(a.Stored) })
		}},
		{"last_backup_timestamp_seconds", "When the newest backup that can be restored was committed.", func(s standing.Standing) (float64, bool) {
			if s.Committed == nil {
				return 0, false
			}
			return seconds(*s.Committed), true
		}},
		{"restore_points", "Backups in the bucket that can be restored.", func(s standing.Standing) (float64, bool) {
			return float64(s.Archives), s.Judged()
		}},
		{"bucket_bytes", "Bytes of all archives of the job in the bucket.", func(s standing.Standing) (float64, bool) {
			return float64(s.BucketBytes), s.Judged()
		}},
		{"next_due_timestamp_seconds", "When the day begins on which the next backup is due.", func(s standing.Standing) (float64, bool) {
			t, err := time.ParseInLocation(time.DateOnly, s.Next, time.Local)
			return seconds(t), err == nil
		}},
		{"last_proof_timestamp_seconds", "When a restore was last made to prove that it can be done.", func(s standing.Standing) (float64, bool) {
			if s.Proof == nil {
				return 0, false
			}
			return seconds(s.Proof.At), true
		}},
		{"last_proof_failed", "Whether that restore failed.", func(s standing.Standing) (float64, bool) {
			return truth(s.Proof != nil && s.Proof.Failed), s.Proof != nil
		}},
	}
}

func attempt(a *state.Attempt, value func(state.Attempt) float64) (float64, bool) {
	if a == nil {
		return 0, false
	}
	return value(*a), true
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func seconds(t time.Time) float64 { return math.Trunc(float64(t.UnixMilli()) / 1000) }

// Text returns what is exposed of jobs at a time by a version of napback. Jobs that
// their labels do not tell apart are an error: a collector would refuse the whole file.
func Text(lines []standing.Standing, now time.Time, version string) (string, error) {
	seen := map[string]bool{}
	for _, s := range lines {
		if seen[labels(s)] {
			return "", fmt.Errorf("metrics: there are two jobs with %s", labels(s))
		}
		seen[labels(s)] = true
	}
	var b strings.Builder
	head(&b, "napback_build_info", "The napback that wrote this.")
	sample(&b, "napback_build_info", label("version", version)+","+label("goversion", runtime.Version()), 1)
	head(&b, "napback_collected_timestamp_seconds", "When this was written: by each run, and by status.")
	sample(&b, "napback_collected_timestamp_seconds", "", seconds(now))
	if len(lines) == 0 {
		return b.String(), nil
	}
	head(&b, "napback_job_info", "What the job backs up.")
	for _, s := range lines {
		sample(&b, "napback_job_info", labels(s)+","+label("kind", s.Kind)+","+label("source", strings.TrimPrefix(s.Source, s.Kind+" ")), 1)
	}
	head(&b, "napback_job_state", "How the job stands: 1 for the state that it has, 0 for each other.")
	for _, s := range lines {
		for _, h := range standing.States() {
			sample(&b, "napback_job_state", labels(s)+","+label("state", string(h)), truth(s.State == h))
		}
	}
	for _, f := range families() {
		f.write(&b, lines)
	}
	return b.String(), nil
}

func (f family) write(b *strings.Builder, lines []standing.Standing) {
	name, begun := "napback_job_"+f.name, false
	for _, s := range lines {
		v, ok := f.value(s)
		if !ok {
			continue
		}
		if !begun {
			head(b, name, f.help)
			begun = true
		}
		sample(b, name, labels(s), v)
	}
}

func head(b *strings.Builder, name, help string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

func sample(b *strings.Builder, name, labels string, v float64) {
	if labels != "" {
		labels = "{" + labels + "}"
	}
	fmt.Fprintf(b, "%s%s %s\n", name, labels, strconv.FormatFloat(v, 'f', -1, 64))
}

// labels tell a job from others.
func labels(s standing.Standing) string {
	return label("config", s.Config) + "," + label("backup_job", s.Job)
}

// label escapes a value. Bytes that are no UTF-8, for which collectors refuse a file,
// are written as \xHH.
func label(name, value string) string {
	var b strings.Builder
	for len(value) > 0 {
		r, n := utf8.DecodeRuneInString(value)
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\\x%02X`, value[0])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\\' || r == '"':
			b.WriteString(`\` + value[:n])
		default:
			b.WriteString(value[:n])
		}
		value = value[n:]
	}
	return name + `="` + b.String() + `"`
}
