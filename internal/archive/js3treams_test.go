package archive_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"napback/internal/archive"
	"napback/internal/cli"
)

func (m memory) putJs3tream(prefix string, digits, chunks int) {
	for n := range chunks {
		m[fmt.Sprintf("%s%0*d", prefix, digits, n)] = fmt.Sprintf("%d,", n)
	}
}

func listJs3tream(t *testing.T, st archive.Store, prefix string) string {
	t.Helper()
	var lines []string
	for info, err := range archive.Js3treams(t.Context(), st, prefix) {
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%q %d", info.Name, info.Chunks)
		if info.Err != nil {
			line += " " + info.Err.Error()
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

func TestJs3treamArchivesWithoutANameAreRead(t *testing.T) {
	for _, digits := range []int{1, 2, 10, 12, 13, 20} {
		st := memory{"-": "x", "note": "x", "2024": "x", "1700000000000": "x", "home:20240101T000000Z-aaaa:0000000000000": "x", "a:0": "x"}
		if digits < 10 { // then such a number could be a chunk
			delete(st, "2024")
			delete(st, "1700000000000")
		}
		st.putJs3tream("", digits, 12)
		a, err := archive.OpenJs3tream(t.Context(), st, "", 1<<20)
		if err != nil {
			t.Errorf("%d digits: %v", digits, err)
			continue
		}
		var out bytes.Buffer
		if err := a.Get(t.Context(), st, &out, getOptions()); err != nil || out.String() != "0,1,2,3,4,5,6,7,8,9,10,11," {
			t.Errorf("%d digits: %q, %v", digits, &out, err)
		}
		delete(st, fmt.Sprintf("%0*d", digits, 7))
		if _, err := archive.OpenJs3tream(t.Context(), st, "", 1<<20); cli.ExitStatus(err) != cli.Integrity {
			t.Errorf("%d digits, a gap: %v", digits, err)
		}
	}
	st := memory{"0": "x"}
	st.putJs3tream("", 13, 3)
	if _, err := archive.OpenJs3tream(t.Context(), st, "", 1<<20); cli.ExitStatus(err) != cli.Integrity {
		t.Errorf("two archives in one: %v", err)
	}
	if _, err := archive.OpenJs3tream(t.Context(), memory{"a:0": "x", "b": "x"}, "", 1<<20); cli.ExitStatus(err) != cli.NotFound {
		t.Errorf("none: %v", err)
	}
}

func TestJs3treamArchivesAreTold(t *testing.T) {
	st := memory{"note": "x", "x:y": "x", "year:2024": "x", "a:0:z": "x"}
	st.putJs3tream("", 13, 3)
	st.putJs3tream("/home-0-FULL:", 13, 12)
	st.putJs3tream("a:", 1, 11) // mixes with the next one
	st.putJs3tream("a:1:", 13, 2)
	st.putJs3tream("headless:", 13, 4)
	delete(st, "headless:0000000000000")
	st.putJs3tream("gap:", 13, 9)
	delete(st, "gap:0000000000004")
	delete(st, "gap:0000000000005")
	st.putJs3tream("mixed:", 13, 2)
	st.putJs3tream("mixed:", 20, 2)
	st.putJs3tream("ours:20240101T000000Z-aaaa:", 13, 2)
	st["ours:20240101T000000Z-aaaa:manifest"] = "x"
	want := `"/home-0-FULL" 12; "" 3; "a:1" 2; "a" 11; "gap" 7 chunks are missing: 2 of 9; ` +
		`"headless" 3 chunk 0 is missing; "mixed" 4 its numbers are not written alike`
	if got := listJs3tream(t, st, ""); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := listJs3tream(t, st, "/ho"); got != `"/home-0-FULL" 12` {
		t.Errorf("with a prefix: %s", got)
	}
	if got := listJs3tream(t, st, "0"); got != "" {
		t.Errorf("a part of the numbers: %s", got)
	}
}

func TestOnlyWhatJs3treamStoredIsRemoved(t *testing.T) {
	for _, c := range []struct {
		name, prefix string
		digits       int
	}{{"", "", 13}, {"", "", 1}, {"home", "home:", 13}, {"home", "home:", 1}, {"home:x", "home:x:", 20}} {
		st, _ := bucket(t)
		mustPut(t, st, "home", []byte("ours"), 10)
		for _, other := range []string{"note", "-", "home:x", "home:0x", "home:00:1", "home-0-FULL:0000000000000", "HOME:0"} {
			putRaw(t, st, other, "x")
		}
		before := keys(t, st)
		for n := range 25 {
			putRaw(t, st, fmt.Sprintf("%s%0*d", c.prefix, c.digits, n), "x")
		}
		if err := archive.RemoveJs3tream(t.Context(), st, c.name); err != nil {
			t.Fatal(err)
		}
		if after := keys(t, st); !slices.Equal(before, after) {
			t.Errorf("%+v: left %q of %q", c, after, before)
		}
		if err := archive.RemoveJs3tream(t.Context(), st, c.name); cli.ExitStatus(err) != cli.NotFound {
			t.Errorf("%+v: once more: %v", c, err)
		}
	}
}

func TestNothingIsRemovedThatMayBeSomebodyElses(t *testing.T) {
	for _, c := range []struct {
		name string
		keys []string
		want int
	}{
		{"", []string{"2024", "2025"}, cli.Integrity},
		{"", []string{"0", "0000000000000"}, cli.Integrity},
		{"a", []string{"a:2024"}, cli.Integrity},
		{"a", []string{"a:0000000000000", "a:2024"}, cli.Integrity},
		{"a", []string{"a:0", "a:1", "a:2024"}, cli.Integrity},
		{"", []string{"0000", "0001", "2024"}, cli.Integrity},
		{"a", []string{"/a:0000000000000"}, cli.NotFound}, // another archive
		{"a:20240101T000000Z-aaaa", []string{"a:20240101T000000Z-aaaa:0000000000000"}, cli.Usage},
	} {
		st := memory{}
		for _, key := range c.keys {
			st[key] = "x"
		}
		if err := archive.RemoveJs3tream(t.Context(), st, c.name); cli.ExitStatus(err) != c.want {
			t.Errorf("%q of %q: %v", c.name, c.keys, err)
		}
	}
}

// failing deletes one batch, and no more.
type failing struct {
	archive.Store
	deleted *[]string
}

func (f failing) Delete(ctx context.Context, keys ...string) error {
	if len(*f.deleted) > 0 {
		return errors.New("the connection is gone")
	}
	*f.deleted = append(*f.deleted, keys...)
	return f.Store.Delete(ctx, keys...)
}

func TestWhatAnInterruptedRemovalLeavesIsDamagedAndCanBeRemoved(t *testing.T) {
	for _, name := range []string{"", "old"} {
		st, _ := bucket(t)
		prefix := strings.TrimPrefix(name+":", ":")
		for n := range 4 {
			putRaw(t, st, fmt.Sprintf("%s%013d", prefix, n), "x")
		}
		var deleted []string
		if err := archive.RemoveJs3tream(t.Context(), failing{st, &deleted}, name); err == nil || !slices.Equal(deleted, []string{prefix + "0000000000000"}) {
			t.Errorf("%q: removed %q, %v", name, deleted, err)
		}
		if got, want := listJs3tream(t, st, ""), fmt.Sprintf("%q 3 chunk 0 is missing", name); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if _, err := archive.OpenJs3tream(t.Context(), st, name, 1<<20); cli.ExitStatus(err) != cli.Integrity {
			t.Errorf("%q: what is left is read: %v", name, err)
		}
		if err := archive.RemoveJs3tream(t.Context(), st, name); err != nil {
			t.Error(err)
		}
		if left := keys(t, st); len(left) > 0 {
			t.Errorf("left %q", left)
		}
	}
}

func TestJs3treamAddressesAreParsed(t *testing.T) {
	for text, want := range map[string][]string{
		"b": {"b", ""}, "b:x": {"b", "x"}, "b:/x-0-FULL": {"b", "/x-0-FULL"}, "s3://b/x": {"b", "x"}, "s3://b//x:y": {"b", "/x:y"},
		"s3://b": {"b", ""}, "b:x:y": {"b", "x:y"}, "b:": nil, "s3://b/": nil, ":x": nil, "": nil, "a/b": nil, "..:x": nil,
	} {
		bucket, name, err := archive.ParseJs3tream(text)
		if want == nil != (err != nil) || err == nil && !slices.Equal([]string{bucket, name}, want) {
			t.Errorf("%q: %q %q %v", text, bucket, name, err)
		}
		if err != nil && cli.ExitStatus(err) != cli.Usage {
			t.Errorf("%q: %v", text, err)
		}
	}
}
