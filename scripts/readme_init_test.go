//go:build linux

package scripts

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"

	"napback/internal/storetest"
)

// firstBlock returns the first block of a section.
func firstBlock(t *testing.T, title string) string {
	t.Helper()
	all := blocks(section(t, title))
	if len(all) == 0 {
		t.Fatalf("%q has no commands", title)
	}
	return all[0]
}

// The first way in that the README shows makes a host whose backups are known to
// work, by the commands that are to show that.
func TestInitAndWhatShowsThatItWorks(t *testing.T) {
	server := storetest.Versitygw(t)
	h := newHost(t, "AWS_ENDPOINT_URL="+server.Endpoint, "AWS_EC2_METADATA_DISABLED=true", "AWS_ACCESS_KEY_ID="+server.AccessKey, "AWS_SECRET_ACCESS_KEY="+server.SecretKey)
	replace := strings.NewReplacer("AKIA... ...", server.AccessKey+" "+server.SecretKey, "eu-central-1", server.Region)
	h.write("/home/me/thesis.tex", "\\bye\n")
	h.shell("s3put --region " + server.Region + " --create-bucket mybackups:x -- true; s3rm --region " + server.Region + " -y mybackups:x")
	h.shell("unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY") // from here on they are in the file

	out := h.shell(replace.Replace(firstBlock(t, "First backup to S3 in five minutes")))
	if !strings.Contains(out, "2 jobs: 2 ok") || !strings.Contains(out, "secret.asc") {
		t.Errorf("init and a run:\n%s", out)
	}
	if line := h.read("/etc/cron.d/napback"); !strings.Contains(line, "napback") {
		t.Errorf("cron gets %q", line)
	}
	h.shell("napback restore home -k secret.asc --to back; cmp back/home/me/thesis.tex /home/me/thesis.tex")

	mail, port := mailbox(t)
	h.write("/etc/napback/napback.conf", "MailTo admin@example.org\nMailServer smtp://127.0.0.1:"+port+"\n"+h.read("/etc/napback/napback.conf"))
	out = h.shell(firstBlock(t, "Know that it works"))
	if !strings.Contains(out, "2 jobs") {
		t.Errorf("the drill is missing:\n%s", out)
	}
	if page := h.read("/root/backups.html"); !strings.Contains(page, "home") || strings.Count(out, " ok ") < 2 {
		t.Errorf("status and check:\n%s", out)
	}
	select {
	case got := <-mail:
		if !strings.Contains(got, "admin@example.org") {
			t.Errorf("the mail is %q", got)
		}
	default: // the server takes a mail before it says so
		t.Error("there is no mail")
	}
}

// mailbox is a mail server for one mail.
func mailbox(t *testing.T) (mail <-chan string, port string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	t.Cleanup(func() { listener.Close() })
	go func() {
		defer close(got)
		c, err := listener.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		said, in := &strings.Builder{}, bufio.NewScanner(c)
		for answer := "220 ready"; ; {
			_, _ = io.WriteString(c, answer+"\r\n")
			if !in.Scan() {
				return
			}
			said.WriteString(in.Text() + "\n")
			switch answer = "250 ok"; in.Text() {
			case "DATA":
				_, _ = io.WriteString(c, "354 go on\r\n")
				for in.Scan() && in.Text() != "." {
					said.WriteString(in.Text() + "\n")
				}
				got <- said.String()
			case "QUIT":
				answer = "221 bye"
			}
		}
	}()
	_, port, err = net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return got, port
}
