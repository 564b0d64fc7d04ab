package store

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/cli"
	"napback/internal/storetest"
	"napback/internal/tooltest"
)

func TestAWrongEndpointIsNamed(t *testing.T) {
	clearAWS(t)
	for raw, want := range map[string]string{
		"file:mnt":                     `endpoint "file:mnt": not an absolute path; write file:///DIR, with three slashes`,
		"file:///a%00b":                `endpoint "file:///a%00b": a path holds no NUL; `,
		"ftp://example.com":            `endpoint "ftp://example.com": unknown scheme; want https://HOST, http://HOST:PORT or file:///DIR`,
		"https://":                     `endpoint "https://": no host; `,
		"https://key:pass@example.com": `endpoint "https://key:xxxxx@example.com": a user name or password does not belong there; put the keys into a file and name it with -K`,
		"https://example.com?x=y":      `endpoint "https://example.com?x=y": neither a query nor a fragment belongs there; in the path of a directory write %3F for ? and %23 for #`,
		"https://exa mple.com:pass":    `endpoint: not a URL; want https://HOST, http://HOST:PORT or file:///DIR`,
	} {
		_, err := Open(t.Context(), Config{Options: Options{Endpoint: raw}})
		var out strings.Builder
		cli.PrintError(&out, "tool", err)
		said := strings.ReplaceAll(strings.TrimPrefix(out.String(), "tool: error: "), "\ntool: hint: ", "; ")
		if strings.TrimSuffix(said, "\n") != strings.TrimSuffix(want, "; ") || cli.ExitStatus(err) != cli.Usage {
			t.Errorf("%q: %s, want %s", raw, said, want)
		}
	}
}

func TestParseKeyFile(t *testing.T) {
	for _, test := range []struct{ text, want, err string }{
		{"key=AK\nsecret=SK\n", "AK SK ", ""},
		{"# comment\r\n\r\n key = AK \r\nsecret=S=K/+\r\ntoken=T==\r\n", "AK S=K/+ T==", ""},
		{"\xef\xbb\xbfkey=AK\nsecret=SK", "AK SK ", ""},
		{"", "", "no line key="},
		{"secret=SK", "", "no line key="},
		{"key=AK", "", "no line secret="},
		{"key=AK\nsecret=", "", "line 2: secret= has no value"},
		{"key=AK\nsecert=SK", "", `line 2: unknown name "secert"`},
		{"key=AK\nkey=AK", "", "line 2: key= is there twice"},
		{"key=AK\nsecret=S K", "", "line 2: the value of secret= holds a character"},
		{"AKIASECRET", "", "line 1: want key="},
		{"wJalrXUtnFEMI/K7MDENG=x", "", "line 1: want key="},
		{strings.Repeat("#\n", maxKeyFile), "", "larger than"},
	} {
		name := filepath.Join(t.TempDir(), "keys")
		if err := os.WriteFile(name, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		keys, err := readKeyFile(name)
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "wJal") || strings.Contains(err.Error(), "AKIA") {
				t.Errorf("%.40q: error %v, want %q", test.text, err, test.err)
			}
			continue
		}
		if got := keys.AccessKeyID + " " + keys.SecretAccessKey + " " + keys.SessionToken; err != nil || got != test.want {
			t.Errorf("%q: %q, error %v; want %q", test.text, got, err, test.want)
		}
	}
}

func FuzzParseKeyFile(f *testing.F) {
	for _, seed := range []string{"key=AK\nsecret=SK\n", "key=a\nsecret=b\ntoken=c", "# x\n\nkey = a", "key==\n", "=", "\xef\xbb\xbf"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		keys, err := parseKeyFile(text)
		if err != nil {
			if keys.HasKeys() {
				t.Errorf("both keys and error %v", err)
			}
			return
		}
		again := "key=" + keys.AccessKeyID + "\nsecret=" + keys.SecretAccessKey + "\n"
		if keys.SessionToken != "" {
			again += "token=" + keys.SessionToken + "\n"
		}
		if got, err := parseKeyFile([]byte(again)); err != nil || got != keys {
			t.Errorf("written again it is %+v, error %v; want %+v", got, err, keys)
		}
	})
}

// TestKeyFilePrivate: a key file that others can read is refused before
// anything is sent.
func TestKeyFilePrivate(t *testing.T) {
	clearAWS(t)
	name := filepath.Join(t.TempDir(), "it's keys")
	if err := os.WriteFile(name, []byte("key=AK\nsecret=SK\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o644: false} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), Config{Options: Options{Endpoint: "http://127.0.0.1:1", KeyFile: name}})
		if (err == nil) != ok {
			t.Errorf("mode %v: error %v", mode, err)
		}
		if err == nil {
			continue
		}
		var out strings.Builder
		cli.PrintError(&out, "s3put", err)
		if want := "s3put: hint: chmod 600 '" + strings.ReplaceAll(name, "'", `'\''`) + "'\n"; !strings.HasSuffix(out.String(), want) || cli.ExitStatus(err) != cli.Usage {
			t.Errorf("mode %v: status %d and %q, want %q", mode, cli.ExitStatus(err), out.String(), want)
		}
	}
	if os.Geteuid() == 0 { // who else could give it away
		if err := errors.Join(os.Chmod(name, 0o600), os.Chown(name, 12345, 0)); err != nil {
			t.Fatal(err)
		}
		_, err := Open(t.Context(), Config{Options: Options{Endpoint: "http://127.0.0.1:1", KeyFile: name}})
		if err == nil || cli.ExitStatus(err) != cli.Usage || !strings.Contains(err.Error(), "belongs to another user") {
			t.Errorf("another user's file: error %v", err)
		}
	}
	if _, err := Open(t.Context(), Config{Options: Options{Endpoint: "http://127.0.0.1:1", KeyFile: name + "x"}}); err == nil ||
		!strings.HasSuffix(err.Error(), `x": no such file or directory`) {
		t.Errorf("missing file: error %v", err)
	}
}

// TestOpenRefuses: what cannot work is told before anything is started.
func TestOpenRefuses(t *testing.T) {
	clearAWS(t)
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{}, "no region"},
		{Config{Options: Options{Profile: "nobody"}}, `profile "nobody"`},
		{Config{Options: Options{Endpoint: "nonsense"}}, "unknown scheme"},
		{Config{Options: Options{Endpoint: "file:///", KeyFile: "/x"}}, "needs no keys"},
		{Config{Attempts: -1}, "negative"},
		{Config{Options: Options{Region: "eu-west-1"}, SSEKMSKey: "k"}, "aws:kms"},
	} {
		_, err := Open(t.Context(), test.cfg)
		if err == nil || !strings.Contains(err.Error(), test.want) || cli.ExitStatus(err) != cli.Usage {
			t.Errorf("%+v: error %v with status %d, want %q", test.cfg, err, cli.ExitStatus(err), test.want)
		}
	}
}

// TestEndpointPrecedence: the flag, then the variable for S3, then the
// general one.
func TestEndpointPrecedence(t *testing.T) {
	clearAWS(t)
	open := func(flag string) string {
		s, err := Open(t.Context(), Config{Options: Options{Endpoint: flag}})
		if err != nil {
			t.Fatal(err)
		}
		return s.(*s3Service).endpoint
	}
	t.Setenv("AWS_ENDPOINT_URL", "http://general")
	if got := open(""); got != "http://general" {
		t.Error(got)
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://s3")
	if got := open(""); got != "http://s3" {
		t.Error(got)
	}
	if got := open("http://flag"); got != "http://flag" {
		t.Error(got)
	}
}

// TestPathStyle: with an endpoint the bucket is in the path unless told
// otherwise, on AWS in the host name.
func TestPathStyle(t *testing.T) {
	clearAWS(t)
	for _, test := range []struct {
		endpoint, style string
		want            bool
	}{
		{"http://x", "", true}, {"http://x", "auto", true}, {"http://x", "off", false}, {"", "auto", false}, {"", "on", true},
	} {
		s, err := Open(t.Context(), Config{Options: Options{Endpoint: test.endpoint, PathStyle: test.style, Region: "eu-west-1"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.(*s3Service).client.Options().UsePathStyle; got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}

// TestOptionsParse: the struct is a grammar that kong takes.
func TestOptionsParse(t *testing.T) {
	var o struct{ Options }
	args := []string{"-K", "f", "--endpoint", "http://x", "--profile", "p", "--region", "r", "--path-style", "off", "--bwlimit", "25M"}
	if _, err := cli.Parse(&o, args, cli.Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}, cli.Describe{Tool: "x"}); err != nil {
		t.Fatal(err)
	}
	want := Options{KeyFile: "f", Endpoint: "http://x", Profile: "p", Region: "r", PathStyle: "off", BandwidthLimit: 25_000_000}
	if o.Options != want {
		t.Errorf("%+v, want %+v", o.Options, want)
	}
}

// TestNoService: each way in which there is nobody to talk to, or nobody who
// believes us, is one clear line.
func TestNoService(t *testing.T) {
	gw := storetest.Versitygw(t)
	if err := openServer(t, gw).CreateBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	tls := httptest.NewTLSServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer tls.Close()
	good := gw.KeyFile(t)
	for name, test := range map[string]struct{ endpoint, keys, want, hint string }{
		"server down":    {"http://" + nobody.Addr().String(), good, `put object "k": cannot connect to ` + nobody.Addr().String() + ": connection refused (tried 2 times)", "check that the service is running"},
		"no such host":   {"http://no-such-host.invalid", good, `put object "k": host "no-such-host.invalid": `, "check the endpoint"},
		"certificate":    {tls.URL, good, `put object "k": the service's certificate: certificate signed by unknown authority`, "AWS_CA_BUNDLE"},
		"no TLS":         {"https" + strings.TrimPrefix(gw.Endpoint, "http"), good, `put object "k": the service does not speak TLS`, "http://"},
		"unknown key":    {gw.Endpoint, storetest.User{AccessKey: "nobody", SecretKey: "secret"}.KeyFile(t), `put object "k": the service does not know the access key`, "check the keys in "},
		"wrong secret":   {gw.Endpoint, storetest.User{AccessKey: gw.AccessKey, SecretKey: "wrong-secret"}.KeyFile(t), `put object "k": the secret key does not belong to the access key`, "check the keys in "},
		"no credentials": {gw.Endpoint, "", `put object "k": no credentials found`, "give -K FILE"},
		"no rights":      {gw.Endpoint, gw.User(t, "bucket").KeyFile(t), `put object "k": access denied`, "check what the keys in "},
	} {
		t.Run(name, func(t *testing.T) {
			s := openTest(t, test.endpoint, func(cfg *Config, _ *tuning) { cfg.KeyFile, cfg.Attempts = test.keys, 2 })
			err := s.Bucket("bucket").Put(t.Context(), storetest.Object("k", []byte("x")))
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Fatalf("error %v, want %s", err, test.want)
			}
			var out strings.Builder
			cli.PrintError(&out, "x", err)
			if !strings.Contains(out.String(), "x: hint: ") || !strings.Contains(out.String(), test.hint) || strings.Count(out.String(), "\n") != 2 {
				t.Errorf("printed:\n%s", out.String())
			}
			wantOneLine(t, err, gw)
			if strings.Contains(out.String(), "wrong-secret") {
				t.Error("it tells the secret")
			}
		})
	}
}

// TestCABundle: a certificate authority of one's own is named as the AWS tools
// name it.
func TestCABundle(t *testing.T) {
	clearAWS(t)
	gw := storetest.Versitygw(t)
	if err := openServer(t, gw).CreateBucket(t.Context(), "bucket"); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewTLSServer(storetest.NewProxy(t, gw.Endpoint))
	defer front.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})
	if err := os.WriteFile(bundle, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	s := openTest(t, front.URL, func(cfg *Config, _ *tuning) { cfg.KeyFile = gw.KeyFile(t) })
	data := storetest.Noise(3 << 20)
	storetest.Put(t, s.Bucket("bucket"), "k", data)
	if !bytes.Equal(storetest.Get(t, s.Bucket("bucket"), "k"), data) {
		t.Error("other bytes came back")
	}
}

// TestRecoverCommand: the command that every manifest carries brings the
// objects back, in order, with a plain shell, and fails when one is missing.
func TestRecoverCommand(t *testing.T) {
	gw := storetest.Versitygw(t)
	aws := tooltest.System(t, "aws")
	for where, s := range map[string]Service{
		"directory": openTest(t, "file://"+filepath.Join(mkdir(t, "it's a dir")), nil),
		"s3":        openServer(t, gw),
	} {
		t.Run(where, func(t *testing.T) {
			if err := s.CreateBucket(t.Context(), "bucket"); err != nil {
				t.Fatal(err)
			}
			b := s.Bucket("bucket")
			for _, name := range []string{"plain", "it's a \"name\" [x]* $HOME `id` \\ %", "dir/two\nlines: -n", "-dash"} {
				prefix := strings.ReplaceAll(name, ":", "") + ":run:0"
				storetest.Put(t, b, prefix+"01", []byte("second,"))
				storetest.Put(t, b, prefix+"00", []byte("first,"))
				storetest.Put(t, b, prefix+"10", []byte("third"))
				storetest.Put(t, b, strings.TrimSuffix(prefix, "0")+"manifest", []byte("{}"))
				command := s.RecoverCommand("bucket", prefix)
				if got, err := inShell(t, gw, aws, command+" | cat"); err != nil || got != "first,second,third" {
					t.Errorf("%s\nprints %q, error %v", command, got, err)
				}
				if strings.Contains(command, gw.SecretKey) {
					t.Errorf("%s holds the secret", command)
				}
			}
			if got, err := inShell(t, gw, aws, s.RecoverCommand("bucket", "nothing:run:0")); err != nil || got != "" {
				t.Errorf("no objects: %q, error %v", got, err)
			}
			if got, err := inShell(t, gw, aws, s.RecoverCommand("nowhere", "plain:run:0")); err == nil {
				t.Errorf("missing bucket: %q and no error", got)
			}
		})
	}
}

func mkdir(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func inShell(t *testing.T, server *storetest.Server, aws, command string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), "sh", "-c", command)
	cmd.Env = append(storetest.Env(server), "PATH="+filepath.Dir(aws)+string(os.PathListSeparator)+os.Getenv("PATH"))
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		t.Logf("%s: %s", command, errs.String())
	}
	return out.String(), err
}
