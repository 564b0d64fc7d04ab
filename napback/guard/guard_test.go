package guard

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"napback/internal/cli"
	"napback/internal/storetest"
	"napback/napback/tartest"
)

const source = "/home/me"

func guarded(archive []byte, p Policy) ([]byte, error) {
	var out bytes.Buffer
	err := Copy(&out, bytes.NewReader(archive), p)
	return out.Bytes(), err
}

// refusal is what Copy says to an archive, after a check of its code.
func refusal(t *testing.T, archive []byte, p Policy) string {
	t.Helper()
	_, err := guarded(archive, p)
	if err == nil {
		return ""
	}
	if cli.ExitStatus(err) != cli.Integrity {
		t.Errorf("%v: exit status %d", err, cli.ExitStatus(err))
	}
	return err.Error()
}

// whole is a good beginning of an archive.
func whole(a *tartest.Archive) {
	a.Dir("home/me", "Nkept", "Dsub", "Yx")
	a.Dir("home/me/sub", "Yf")
}

func TestWhatTarDoesNotWriteIsRefused(t *testing.T) {
	type archive = tartest.Archive
	header := func(h tartest.Header) func(*archive) { return func(a *archive) { a.Block(h) } }
	for name, c := range map[string]struct {
		gnu  bool
		make func(*archive)
		want string // in the error
	}{
		"absolute":                    {make: func(a *archive) { a.File("/home/me/x", "") }, want: `"/home/me/x": it is outside`},
		"outside":                     {make: func(a *archive) { a.File("etc/x", "") }, want: `"etc/x": it is outside`},
		"a neighbour of like name":    {make: func(a *archive) { a.File("home/me2/x", "") }, want: `"home/me2/x": it is outside`},
		"above":                       {make: func(a *archive) { a.Dir("home", "Dme") }, want: `"home/": it is outside`},
		"dots":                        {make: func(a *archive) { a.File("home/me/../x", "") }, want: `"home/me/../x": its name`},
		"a dot":                       {make: func(a *archive) { a.File("home/me/./x", "") }, want: "its name is not written"},
		"two slashes":                 {make: func(a *archive) { a.File("home/me//x", "") }, want: "its name is not written"},
		"dots in a directory's name":  {make: func(a *archive) { a.Dir("home/me/sub/..", "Dx") }, want: "its name is not written"},
		"no parent":                   {make: func(a *archive) { a.File("home/me/other/x", "") }, want: `"home/me/other/x": it is below "home/me/other"`},
		"below a file":                {make: func(a *archive) { a.File("home/me/x", ""); a.File("home/me/x/y", "") }, want: `"home/me/x/y": it is below`},
		"below a link":                {make: func(a *archive) { a.Symlink("home/me/x", "/etc"); a.File("home/me/x/y", "") }, want: `"home/me/x/y": it is below`},
		"below a link of an older":    {make: func(a *archive) { a.File("home/me/kept/y", "") }, want: `"home/me/kept/y": it is below`},
		"a directory for a link":      {make: func(a *archive) { a.Symlink("home/me/x", "/etc"); a.Dir("home/me/x") }, want: `"home/me/x/": it is a directory, and its parent`},
		"an unlisted directory":       {make: func(a *archive) { a.Dir("home/me/kept") }, want: `"home/me/kept/": it is a directory, and its parent`},
		"a directory that was a link": {make: func(a *archive) { a.Symlink("home/me/late", "/etc"); a.Dir("home/me/late") }, want: "home/me/late"},
		"a link for a directory":      {make: func(a *archive) { a.Symlink("home/me/sub", "/etc") }, want: `"home/me/sub": it comes twice`},
		"a directory twice":           {make: func(a *archive) { a.Dir("home/me/sub", "Dnew") }, want: `"home/me/sub/": it comes twice`},
		"the source twice":            {make: func(a *archive) { a.Dir("home/me", "Dkept") }, want: `"home/me/": it comes twice`},
		"the source as a link":        {make: func(a *archive) { a.Symlink("home/me", "/etc") }, want: `"home/me": it comes twice`},
		"a hard link out":             {make: func(a *archive) { a.Link("home/me/x", "etc/shadow") }, want: `"home/me/x": its hard link to "etc/shadow": it is outside`},
		"a hard link up":              {make: func(a *archive) { a.Link("home/me/x", "home/me/../../etc/shadow") }, want: "its hard link to"},
		"a hard link through a link": {make: func(a *archive) {
			a.Symlink("home/me/x", "/etc")
			a.Link("home/me/y", "home/me/x/shadow")
		}, want: `"home/me/y": its hard link to "home/me/x/shadow": it is below`},
		"rename from":            {make: func(a *archive) { a.Pax(tartest.Record("GNU.dumpdir", "Rhome/me/a\x00Tetc\x00\x00")) }, want: `"home/me/a": a note of tar's`},
		"rename to":              {make: func(a *archive) { a.Pax(tartest.Record("GNU.dumpdir", "Tetc\x00\x00")) }, want: `"etc": a note of tar's`},
		"rename by way of":       {make: func(a *archive) { a.Pax(tartest.Record("GNU.dumpdir", "X\x00\x00")) }, want: "a note of tar's"},
		"rename, GNU":            {gnu: true, make: func(a *archive) { a.Dir("home/me/sub/d", "Rx") }, want: "sub/d"},
		"a slash in a list":      {make: func(a *archive) { a.Pax(tartest.Record("GNU.dumpdir", "Da/b\x00\x00")) }, want: `"a/b": a directory's list`},
		"dots in a list":         {make: func(a *archive) { a.Pax(tartest.Record("GNU.dumpdir", "D..\x00\x00")) }, want: `"..": a directory's list`},
		"a name in a list twice": {make: func(a *archive) { a.Pax(tartest.Record("GNU.dumpdir", "Da\x00Ya\x00\x00")) }, want: "not in order"},
		"more after a list":      {make: func(a *archive) { a.Pax(tartest.Record("GNU.dumpdir", "Da\x00\x00Db\x00\x00")) }, want: "does not end"},
		"a list that is cut":     {make: func(a *archive) { a.Pax(tartest.Record("GNU.dumpdir", "Da\x00")) }, want: "does not end"},
		"a list of a file": {make: func(a *archive) {
			a.Pax(tartest.Record("GNU.dumpdir", "\x00"))
			a.File("home/me/x", "")
		}, want: "it is no directory and has the list of one"},
		"a global header":     {make: header(tartest.Header{Name: "g", Type: 'g'}), want: `type 'g'`},
		"a volume header":     {gnu: true, make: header(tartest.Header{Name: "v", Type: 'V'}), want: `type 'V'`},
		"another volume":      {gnu: true, make: header(tartest.Header{Name: "home/me/x", Type: 'M'}), want: `type 'M'`},
		"a contiguous file":   {make: header(tartest.Header{Name: "home/me/x", Type: '7'}), want: `type '7'`},
		"no type":             {make: header(tartest.Header{Name: "home/me/x"}), want: `type '\x00'`},
		"long name in posix":  {make: header(tartest.Header{Name: "x", Type: 'L', Size: 5}), want: `type 'L'`},
		"extended in GNU":     {gnu: true, make: header(tartest.Header{Name: "x", Type: 'x', Size: 5}), want: `type 'x'`},
		"a file with a slash": {make: header(tartest.Header{Name: "home/me/x/", Type: '0'}), want: "end with a slash"},
		"a directory without": {make: header(tartest.Header{Name: "home/me/sub", Type: '5'}), want: "end with a slash"},
		"a wrong sum": {make: func(a *archive) {
			a.File("home/me/x", "")
			a.Bytes()[a.Len()-512]++
		}, want: "wrong checksum"},
		"a prefix":                  {make: header(tartest.Header{Name: "x", Type: '0', Change: func(b []byte) { copy(b[345:], "home/me") }}), want: "fields that tar does not write"},
		"a size in other words":     {make: header(tartest.Header{Name: "home/me/x", Type: '0', Change: func(b []byte) { copy(b[124:], "         17 ") }}), want: "a size that cannot be"},
		"a negative size":           {make: header(tartest.Header{Name: "home/me/x", Type: '0', Change: func(b []byte) { b[124] = 0xff }}), want: "a size that cannot be"},
		"a huge size":               {make: header(tartest.Header{Name: "home/me/x", Type: '0', Change: func(b []byte) { copy(b[124:], "\x80\x00\x00\x00\x7f") }}), want: "a size that cannot be"},
		"a link with contents":      {make: header(tartest.Header{Name: "home/me/x", Link: "home/me/y", Type: '1', Size: 512}), want: "contents where there can be none"},
		"a directory with contents": {make: header(tartest.Header{Name: "home/me/sub/", Type: '5', Size: 512}), want: "contents where there can be none"},
		"a file with a target":      {make: header(tartest.Header{Name: "home/me/x", Link: "y", Type: '0'}), want: "it is no link"},
		"a link to nothing":         {make: header(tartest.Header{Name: "home/me/x", Type: '2'}), want: "a link to nothing"},
		"two extended headers":      {make: func(a *archive) { a.Pax(tartest.Record("uid", "1")); a.Pax(tartest.Record("uid", "1")) }, want: "two extended headers"},
		"a path twice":              {make: func(a *archive) { a.Pax(tartest.Record("path", "home/me/x"), tartest.Record("path", "etc/x")) }, want: `two records "path"`},
		"a path with a zero byte":   {make: func(a *archive) { a.Pax(tartest.Record("path", "home/me/x\x00y")) }, want: "zero byte"},
		"a path out": {make: func(a *archive) {
			a.Pax(tartest.Record("path", "etc/x"))
			a.File("home/me/x", "")
		}, want: `"etc/x": it is outside`},
		"an unknown record":  {make: func(a *archive) { a.Pax(tartest.Record("GNU.volume.label", "x")) }, want: `"GNU.volume.label" that tar does not write`},
		"a charset":          {make: func(a *archive) { a.Pax(tartest.Record("hdrcharset", "BINARY")) }, want: "that tar does not write"},
		"a record too long":  {make: func(a *archive) { a.Pax("99 path=x\n") }, want: "wrong length"},
		"a record too short": {make: func(a *archive) { a.Pax("9 path=xx\n") }, want: "wrong length"},
		"a record with +":    {make: func(a *archive) { a.Pax("+10 path=x\n") }, want: "wrong length"},
		"half an end":        {make: func(a *archive) { a.Write(make([]byte, 512)); a.File("home/me/x", "") }, want: "half of an end"},
		"a header alone":     {make: func(a *archive) { a.Pax(tartest.Record("uid", "1")) }, want: "without a member"},
		"after the end":      {make: func(a *archive) { a.Write(make([]byte, 1024)); a.File("home/me/x", "y") }, want: "data after the end"},
		"sparse, more than there is": {make: func(a *archive) {
			a.Pax(tartest.Record("GNU.sparse.major", "1"), tartest.Record("GNU.sparse.minor", "0"),
				tartest.Record("GNU.sparse.name", "home/me/x"), tartest.Record("GNU.sparse.realsize", "4096"))
			a.Block(tartest.Header{Name: "home/me/GNUSparseFile.1/x", Type: '0', Size: 1024})
			a.Data("1\n0\n1024\n")
			a.Data("x")
		}, want: `"home/me/x": a sparse file whose regions`},
		"sparse out": {make: func(a *archive) {
			a.Pax(tartest.Record("GNU.sparse.major", "1"), tartest.Record("GNU.sparse.minor", "0"),
				tartest.Record("GNU.sparse.name", "etc/x"), tartest.Record("GNU.sparse.realsize", "4096"))
			a.Block(tartest.Header{Name: "home/me/GNUSparseFile.1/x", Type: '0', Size: 1024})
		}, want: `"etc/x": it is outside`},
		"sparse of another version": {make: func(a *archive) {
			a.Pax(tartest.Record("GNU.sparse.size", "1"))
		}, want: "that tar does not write"},
		"old sparse, more than there is": {gnu: true, make: func(a *archive) {
			a.Block(tartest.Header{Name: "home/me/x", Type: 'S', Size: 512, Change: func(b []byte) {
				copy(b[386:], "00000000000\x0000000002000\x00")
				copy(b[483:], "00000002000\x00")
			}})
			a.Data("x")
		}, want: `"home/me/x": a sparse file whose regions`},
	} {
		a := &tartest.Archive{GNU: c.gnu}
		whole(a)
		c.make(a)
		if got := refusal(t, a.Stream(), Policy{Source: source}); !strings.Contains(got, c.want) {
			t.Errorf("%s: says %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatWasPromisedAsADirectoryCanBecomeSomethingElseOnlyForGood(t *testing.T) {
	a := &tartest.Archive{}
	a.Dir("home/me", "Dx")
	a.Symlink("home/me/x", "/etc")
	if got := refusal(t, bytes.Clone(a.Stream()), Policy{Source: source}); got != "" {
		t.Errorf("a directory that was replaced while tar was reading: %s", got)
	}
	for name, more := range map[string]func(*tartest.Archive){
		"comes twice": func(a *tartest.Archive) { a.Dir("home/me/x") },
		"is below":    func(a *tartest.Archive) { a.File("home/me/x/y", "") },
	} {
		a := &tartest.Archive{}
		a.Dir("home/me", "Dx")
		a.Symlink("home/me/x", "/etc")
		more(a)
		if got := refusal(t, a.Stream(), Policy{Source: source}); !strings.Contains(got, name) {
			t.Errorf("%q, want %q", got, name)
		}
	}
}

func TestADirectoryWhereNoneMayBeIsRefused(t *testing.T) {
	for _, src := range []struct{ source, root string }{{source, "home/me"}, {"/", "."}} {
		a := &tartest.Archive{}
		a.Dir(src.root, "Dx")
		a.Dir(src.root + "/x")
		p := Policy{Source: src.source, NotDirs: []string{strings.TrimPrefix(src.root+"/x", "./")}}
		if got := refusal(t, a.Stream(), p); !strings.Contains(got, "must not be one here") {
			t.Errorf("source %s: %q", src.source, got)
		}
	}
}

// tar must get nothing of a member that is refused, but for headers that it does
// not act on without the member's own.
func TestTarGetsOnlyWhatWasJudged(t *testing.T) {
	a := &tartest.Archive{}
	whole(a)
	good := a.Len()
	a.File("etc/x", "evil")
	out, err := guarded(a.Stream(), Policy{Source: source})
	if err == nil || len(out) > good || !bytes.HasPrefix(a.Bytes(), out) {
		t.Errorf("%v, and %d bytes of %d are passed on", err, len(out), good)
	}
}

func TestAnArchiveThatIsCutIsDamaged(t *testing.T) {
	storetest.NotQuick(t, "needs time")
	a := &tartest.Archive{}
	whole(a)
	a.File("home/me/x", "content")
	all := a.Stream()
	end := len(bytes.TrimRight(all, "\x00")) + 2*blockSize // at most
	for n := 0; n < end-2*blockSize; n++ {
		if got := refusal(t, all[:n], Policy{Source: source}); !strings.Contains(got, "without its end marker") {
			t.Fatalf("cut at %d: %q", n, got)
		}
	}
	broken := errors.New("no more")
	err := Copy(io.Discard, io.MultiReader(bytes.NewReader(all[:600]), failing{broken}), Policy{Source: source})
	if !errors.Is(err, broken) || cli.ExitStatus(err) != cli.Failed {
		t.Errorf("a stream that fails: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func FuzzGuardNeverPanics(f *testing.F) {
	a := &tartest.Archive{}
	whole(a)
	a.File("home/me/x", "content")
	a.Link("home/me/y", "home/me/x")
	f.Add(a.Stream())
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := guarded(data, Policy{Source: source})
		if err == nil && !bytes.HasPrefix(out, bytes.TrimRight(data, "\x00")) {
			t.Error("what comes out is not what went in")
		}
	})
}
