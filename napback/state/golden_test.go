package state

import (
	"os"
	"reflect"
	"testing"
)

// A record that an older napback wrote is read whole, and the same is written for
// the same state.
func TestTheFormatOnDiskStays(t *testing.T) {
	want, err := os.ReadFile("testdata/record.json")
	if err != nil {
		t.Fatal(err)
	}
	j := open(t, "home/build")
	if err := os.WriteFile(j.Record(), want, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := j.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{"record": r, "point": *r.Current, "pending": *r.Pending, "run": r.Runs[1], "file": r.Current.Newest[0]} {
		whole := reflect.ValueOf(value)
		for i := range whole.NumField() {
			if whole.Field(i).IsZero() {
				t.Errorf("the %s has no %s", name, whole.Type().Field(i).Name)
			}
		}
	}
	if err := j.Save(r); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(j.Record()); err != nil || string(got) != string(want) {
		t.Errorf("%v: written as %s", err, got)
	}
}
