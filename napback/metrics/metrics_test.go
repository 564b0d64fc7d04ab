package metrics

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"

	"napback/internal/slot"
	"napback/napback/catalog"
	"napback/napback/standing"
	"napback/napback/state"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// judged is a job that has a backup, a run that failed, and a proof.
func judged(t *testing.T, name string) standing.Standing {
	t.Helper()
	today, err := slot.ParseDate("2026-11-20")
	if err != nil {
		t.Fatal(err)
	}
	e := catalog.Entry{Name: "job-0-FULL", Run: "20261120T010000Z-aaaa", State: catalog.Committed, Committed: now.Add(-11 * time.Hour), Bytes: 512,
		Meta: map[string]string{"job": "job", "type": "FULL", "date": "2026-11-20"}}
	a, err := catalog.OfJob([]catalog.Entry{e}, "job", catalog.Wanted{})
	if err != nil {
		t.Fatal(err)
	}
	s := standing.Judge(slot.DefaultSimple(), today, a, "")
	s.Job, s.Kind, s.Source, s.Config = name, "Directory", "Directory /srv/"+name, "/etc/napback/web.conf"
	ended, failed := now.Add(-10*time.Hour), now.Add(-time.Hour)
	return s.With(state.Account{
		Attempt: &state.Attempt{Began: failed, Ended: &failed, Failed: true, Reason: "no"},
		Success: &state.Attempt{Began: now.Add(-11 * time.Hour), Ended: &ended, Read: 2048, Stored: 512},
		Proof:   &state.Proof{At: now.Add(-24 * time.Hour)},
	}, now)
}

// values parses a text as a collector does. Keys are a metric with the values of the
// labels asked for.
func values(t *testing.T, text string, labels ...string) map[string]float64 {
	t.Helper()
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v, %v in\n%s", problems, err, text)
	}
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for name, f := range families {
		for _, m := range f.Metric {
			key := name
			for _, l := range m.Label {
				for _, wanted := range labels {
					if l.GetName() == wanted {
						key += " " + l.GetValue()
					}
				}
			}
			if _, twice := got[key]; twice {
				t.Fatalf("%s is there twice", key)
			}
			got[key] = m.GetGauge().GetValue()
		}
	}
	return got
}

func TestWhatIsKnownOfAJobIsExposed(t *testing.T) {
	text, err := Text([]standing.Standing{judged(t, "job")}, now, "1.2.3")
	if err != nil {
		t.Fatal(err)
	}
	got := values(t, text, "state", "version", "source")
	tomorrow := time.Date(2026, 11, 21, 0, 0, 0, 0, time.Local)
	for key, want := range map[string]float64{
		"napback_build_info 1.2.3":                   1,
		"napback_collected_timestamp_seconds":        float64(now.Unix()),
		"napback_job_info /srv/job":                  1,
		"napback_job_state FAILED":                   1,
		"napback_job_state ok":                       0,
		"napback_job_last_attempt_timestamp_seconds": float64(now.Add(-time.Hour).Unix()),
		"napback_job_last_attempt_failed":            1,
		"napback_job_last_success_timestamp_seconds": float64(now.Add(-10 * time.Hour).Unix()),
		"napback_job_duration_seconds":               3600,
		"napback_job_read_bytes":                     2048,
		"napback_job_stored_bytes":                   512,
		"napback_job_last_backup_timestamp_seconds":  float64(now.Add(-11 * time.Hour).Unix()),
		"napback_job_restore_points":                 1,
		"napback_job_bucket_bytes":                   512,
		"napback_job_next_due_timestamp_seconds":     float64(tomorrow.Unix()),
		"napback_job_last_proof_timestamp_seconds":   float64(now.Add(-24 * time.Hour).Unix()),
		"napback_job_last_proof_failed":              0,
	} {
		if v, ok := got[key]; !ok || v != want {
			t.Errorf("%s is %v (%v), want %v", key, v, ok, want)
		}
		delete(got, key)
	}
	for key, v := range got {
		if !strings.HasPrefix(key, "napback_job_state ") || v != 0 {
			t.Errorf("not expected: %s %v", key, v)
		}
	}
}

func TestWhatIsNotKnownIsLeftOut(t *testing.T) {
	s := standing.Standing{Job: "job", Source: "Directory /srv", State: standing.Unknown, Next: "2026-11-20"}
	text, err := Text([]standing.Standing{s}, now, "1")
	if err != nil {
		t.Fatal(err)
	}
	got := values(t, text, "state")
	if got["napback_job_state UNKNOWN"] != 1 {
		t.Error(got)
	}
	for _, name := range []string{"restore_points", "bucket_bytes", "last_backup_timestamp_seconds", "last_attempt_failed", "last_success_timestamp_seconds", "last_proof_failed"} {
		if v, ok := got["napback_job_"+name]; ok {
			t.Errorf("%s is told: %v", name, v)
		}
	}
}

func TestHostileNamesStayInTheirLabels(t *testing.T) {
	names := []string{"a\"} 1\nnapback_job_state{state=\"ok", `back\slash`, "back\\\\slash\n", "bytes \xff\xfe", "bytes \xff\xfd", "\x1b[2J", "ä ☃", ""}
	var all []standing.Standing
	for _, n := range names {
		all = append(all, judged(t, n))
	}
	text, err := Text(all, now, "\"\n\\")
	if err != nil {
		t.Fatal(err)
	}
	got := values(t, text, "backup_job", "state")
	for _, n := range names {
		shown := strings.NewReplacer("\xff", `\xFF`, "\xfe", `\xFE`, "\xfd", `\xFD`).Replace(n)
		if got["napback_job_read_bytes "+shown] != 2048 {
			t.Errorf("%q is not there: %v", n, got)
		}
	}
	if _, err := Text([]standing.Standing{all[1], all[1]}, now, "1"); err == nil {
		t.Error("two jobs of one name are exposed as two samples of one")
	}
}

func TestAFileIsReplacedAtOnce(t *testing.T) {
	dir := t.TempDir()
	path, victim := filepath.Join(dir, "napback.prom"), filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, path); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, "text\n"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
	data, _ := os.ReadFile(path)
	kept, _ := os.ReadFile(victim)
	if entries, _ := os.ReadDir(dir); string(data) != "text\n" || string(kept) != "kept" || len(entries) != 2 {
		t.Errorf("%q, %q, %v", data, kept, entries)
	}
	// One that cannot be put in place leaves nothing behind.
	if err := os.MkdirAll(filepath.Join(dir, "full.prom", "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(dir, "full.prom"), "text\n"); err == nil || !strings.Contains(err.Error(), "full.prom") {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 3 {
		t.Errorf("left behind: %v", entries)
	}
	if err := Write(filepath.Join(dir, "none", "x.prom"), ""); err == nil {
		t.Error("a directory was made")
	}
}

func TestOnlyNamesThatACollectorReadsAreTaken(t *testing.T) {
	for path, ok := range map[string]bool{"-": true, "x.prom": true, "x.txt": false, "": false, "x.prom.new": false} {
		if err := CheckPath(path); (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
	}
}
