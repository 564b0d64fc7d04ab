package dump_test

import (
	"bytes"
	"strings"
	"testing"

	"napback/napback/source"
	"napback/napback/source/dump"
)

func TestRevisionsGoOnWhereTheArchiveBeforeEnds(t *testing.T) {
	judge := dump.SubversionKind().Whole
	told := func(revisions string) map[string]string { return map[string]string{"revisions": revisions} }
	for _, c := range []struct {
		a     source.Archived
		dump  string
		wrong string
	}{
		{source.Archived{Diff: true}, svnDump(), ""},
		{source.Archived{Diff: true, Meta: told("7:9"), Before: "revisions 0:6"}, svnDump(), ""},
		{source.Archived{Diff: true, Before: "revisions 0:5"}, svnDump(), "begins with revision 7, but the archive that it builds on ends with 5"},
		{source.Archived{Diff: true, Before: "revisions 0:7"}, svnDump(), "ends with 7"},
		{source.Archived{Diff: true, Meta: told("7:10")}, svnDump(), "ends before revision 10"},
		{source.Archived{Diff: true, Meta: told("8:9")}, svnDump(), "has revision 7 where 8 should come"},
		{source.Archived{Diff: true, Meta: told("7:99999999999999999999")}, svnDump(), "its manifest"},
		{source.Archived{Diff: true, Meta: told("")}, svnDump(), "its manifest"},
		{source.Archived{Meta: told("7:9")}, svnDump(), "it is a FULL, but begins with revision 7"},
		{source.Archived{}, "", "no revision"},
		{source.Archived{}, "SVN-fs-dump-format-version: 2\n\n", "no revision"},
		{source.Archived{Diff: true}, svnDump()[:len(svnDump())-10], "cut short"},
		{source.Archived{Diff: true}, svnDump() + "garbage\n", "no dump"},
	} {
		holds, err := judge(strings.NewReader(c.dump), c.a)
		if c.wrong == "" && (err != nil || holds != "revisions 7:9") || c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%+v: %q, %v; want %q", c.a, holds, err, c.wrong)
		}
	}
}

// What is whole is whole also if it was known before what it should hold.
func FuzzRevisionsThatNobodyTold(f *testing.F) {
	f.Add([]byte(svnDump()))
	f.Add([]byte("Revision-number: 9223372036854775807\nContent-length: 0\n\n"))
	judge := dump.SubversionKind().Whole
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, diff := range []bool{false, true} {
			holds, err := judge(bytes.NewReader(data), source.Archived{Diff: diff})
			if err != nil {
				continue
			}
			revisions := strings.TrimPrefix(holds, "revisions ")
			if again, err := judge(bytes.NewReader(data), source.Archived{Diff: diff, Meta: map[string]string{"revisions": revisions}}); err != nil || again != holds {
				t.Fatalf("%q without being told, then %q, %v", holds, again, err)
			}
		}
	})
}
