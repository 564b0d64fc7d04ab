package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"napback/internal/archive"
)

func list(t *testing.T, s archive.Store) {
	keys := []string{
		"a-b", "a.b", "a/b", "a/c/d", "a0", "b:20260101T000000Z-aaaa:0000000000000", "b:20260101T000000Z-aaaa:0000000000001",
		"b:20260101T000000Z-aaaa:manifest", "b:20260102T000000Z-bbbb:manifest", "b-c:20260101T000000Z-cccc:manifest",
		"b/c:20260101T000000Z-dddd:manifest", "c", "c!", "ca/b",
	}
	for _, key := range keys {
		Put(t, s, key, []byte(key))
	}
	sorted := slices.Sorted(slices.Values(keys))
	for _, test := range []struct {
		query archive.Query
		want  []string
	}{
		{archive.Query{}, sorted},
		{archive.Query{Prefix: "a"}, []string{"a-b", "a.b", "a/b", "a/c/d", "a0"}},
		{archive.Query{Prefix: "a/"}, []string{"a/b", "a/c/d"}},
		{archive.Query{Prefix: "a/c"}, []string{"a/c/d"}},
		{archive.Query{Prefix: "c"}, []string{"c", "c!", "ca/b"}},
		{archive.Query{Prefix: "nothing"}, []string{}},
		{archive.Query{Prefix: "a/b/c/"}, []string{}},
		{archive.Query{After: "a/b"}, sorted[slices.Index(sorted, "a/b")+1:]},
		{archive.Query{After: "a/bb"}, sorted[slices.Index(sorted, "a/b")+1:]},
		{archive.Query{After: "zzz"}, []string{}},
		{archive.Query{Prefix: "a/", After: "a/b"}, []string{"a/c/d"}},
		{archive.Query{Prefix: "a", After: "a.b"}, []string{"a/b", "a/c/d", "a0"}},
		{archive.Query{Prefix: "b:", Delimiter: ":0"}, []string{">b:20260101T000000Z-aaaa:0", "b:20260101T000000Z-aaaa:manifest", "b:20260102T000000Z-bbbb:manifest"}},
		{archive.Query{Delimiter: "/"}, []string{"a-b", "a.b", ">a/", "a0", "b-c:20260101T000000Z-cccc:manifest", ">b/",
			"b:20260101T000000Z-aaaa:0000000000000", "b:20260101T000000Z-aaaa:0000000000001", "b:20260101T000000Z-aaaa:manifest",
			"b:20260102T000000Z-bbbb:manifest", "c", "c!", ">ca/"}},
		{archive.Query{Prefix: "a/", Delimiter: "/"}, []string{"a/b", ">a/c/"}},
		{archive.Query{Delimiter: ":"}, []string{"a-b", "a.b", "a/b", "a/c/d", "a0", ">b-c:", ">b/c:", ">b:", "c", "c!", "ca/b"}},
		{archive.Query{Prefix: "b:", Delimiter: ":"}, []string{">b:20260101T000000Z-aaaa:", ">b:20260102T000000Z-bbbb:"}},
		{archive.Query{Prefix: "b", Delimiter: ":"}, []string{">b-c:", ">b/c:", ">b:"}},
		{archive.Query{Prefix: "b/", Delimiter: ":"}, []string{">b/c:"}},
		{archive.Query{Prefix: "b:20260101T000000Z-aaaa:", Delimiter: ":"}, []string{"b:20260101T000000Z-aaaa:0000000000000",
			"b:20260101T000000Z-aaaa:0000000000001", "b:20260101T000000Z-aaaa:manifest"}},
		// The keys behind After inside a group still make up the group.
		{archive.Query{Delimiter: ":", After: "b:"}, []string{">b:", "c", "c!", "ca/b"}},
		{archive.Query{Delimiter: ":", After: "b:20260101T000000Z-aaaa:manifest"}, []string{">b:", "c", "c!", "ca/b"}},
		{archive.Query{Delimiter: ":", After: "b:20260102T000000Z-bbbb:manifest"}, []string{"c", "c!", "ca/b"}},
		{archive.Query{Prefix: "b:", Delimiter: ":", After: "b:20260101T000000Z-aaaa:0"}, []string{">b:20260101T000000Z-aaaa:", ">b:20260102T000000Z-bbbb:"}},
		{archive.Query{Delimiter: ":", After: "a0"}, []string{">b-c:", ">b/c:", ">b:", "c", "c!", "ca/b"}},
	} {
		if diff := cmp.Diff(test.want, Keys(t, s, test.query)); diff != "" {
			t.Errorf("list %+v (-want +got):\n%s", test.query, diff)
		}
	}
	for e, err := range s.List(t.Context(), archive.Query{Prefix: "a/b"}) {
		if err != nil || e.Size != int64(len("a/b")) || e.Modified.IsZero() || e.IsPrefix {
			t.Errorf("entry %+v, error %v", e, err)
		}
	}
	for e, err := range s.List(t.Context(), archive.Query{Prefix: "a/", Delimiter: "/", After: "a/b"}) {
		if err != nil || e.Size != 0 || !e.Modified.IsZero() || !e.IsPrefix || e.Key != "a/c/" {
			t.Errorf("entry %+v, error %v", e, err)
		}
	}
}

// ManyKeys is more than a service lists on one page.
const ManyKeys = 1050

func listPages(t *testing.T, s archive.Store) {
	var keys, prefixes []string
	for i := range ManyKeys {
		keys = append(keys, fmt.Sprintf("n %04d:run:manifest", i))
		prefixes = append(prefixes, fmt.Sprintf(">n %04d:", i))
	}
	putAll(t, s, keys)
	if diff := cmp.Diff(keys, Keys(t, s, archive.Query{})); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(prefixes, Keys(t, s, archive.Query{Delimiter: ":"})); diff != "" {
		t.Errorf("with a delimiter (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(keys[3:], Keys(t, s, archive.Query{After: keys[2]})); diff != "" {
		t.Errorf("after the third (-want +got):\n%s", diff)
	}
	n := 0
	for range s.List(t.Context(), archive.Query{}) {
		if n++; n == 5 {
			break // and nothing else is yielded
		}
	}
	if err := s.Delete(t.Context(), keys...); err != nil {
		t.Fatal(err)
	}
	if left := Keys(t, s, archive.Query{}); len(left) != 0 {
		t.Errorf("%d keys are left after deleting %d", len(left), ManyKeys)
	}
}
