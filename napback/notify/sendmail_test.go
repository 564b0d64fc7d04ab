//go:build unix

package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program writes a script that is called as sendmail is, and returns its path.
func program(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sendmail")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSendmailGetsTheMailAsCronWouldGiveIt(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hidden")
	dir := t.TempDir()
	o := MailOptions{To: []string{"a@example.com", "Bob <b@example.com>", "root"}, Redact: mask,
		program: program(t, `echo "$@" >`+dir+`/args; env >`+dir+`/env; cat >`+dir+`/mail`)}
	if err := SendMail(t.Context(), o, message()); err != nil {
		t.Fatal(err)
	}
	file := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if args := file("args"); args != "-i a@example.com b@example.com root\n" {
		t.Errorf("args %q", args)
	}
	if strings.Contains(file("env"), "AWS_") {
		t.Error("it got a secret")
	}
	header, body := read(t, file("mail"))
	if header.Get("To") != `<a@example.com>, "Bob" <b@example.com>, <root@web1>` || header.Get("From") != "" || strings.Contains(file("mail"), "\r") {
		t.Errorf("header %v", header)
	}
	if want := message().Summary + wantFailure; body != want {
		t.Errorf("body:\n%s", body)
	}
	option := o
	option.To = []string{"-oQ/tmp@example.com"}
	if err := SendMail(t.Context(), option, message()); err == nil || !strings.Contains(err.Error(), "take it for an option") {
		t.Errorf("a recipient that is an option: %v", err)
	}
	o.From = "c@example.com"
	if err := SendMail(t.Context(), o, message()); err != nil {
		t.Fatal(err)
	}
	if header, _ := read(t, file("mail")); header.Get("From") != "<c@example.com>" {
		t.Errorf("from %q", header.Get("From"))
	}
}

func TestSendmailThatFailsIsAnError(t *testing.T) {
	big := message()
	big.Summary = strings.Repeat("more than a pipe holds\n", 10000)
	for text, want := range map[string]string{
		"echo queue is full >&2; exit 75":           "sendmail: exit status 75: queue is full",
		"exec <&-; echo did not read >&2; exit 1":   "did not read",
		"cat >/dev/null; kill -9 $$":                "SIGKILL",
		"cat >/dev/null; echo odd name >&2; exit 1": "odd name",
	} {
		err := SendMail(t.Context(), MailOptions{To: []string{"a@example.com"}, program: program(t, text)}, big)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	err := SendMail(t.Context(), MailOptions{To: []string{"a@example.com"}, program: "/no/such/sendmail"}, message())
	if err == nil || !strings.Contains(err.Error(), "there is no sendmail") {
		t.Errorf("err = %v", err)
	}
}

func TestSendmailThatHangsIsEnded(t *testing.T) {
	ready := filepath.Join(t.TempDir(), "ready")
	if err := syscall.Mkfifo(ready, 0o600); err != nil {
		t.Fatal(err)
	}
	stopped := errors.New("stopped")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		_, _ = os.ReadFile(ready) // ends when the program has opened and closed it
		cancel(stopped)
	}()
	o := MailOptions{To: []string{"a@example.com"}, program: program(t, ">"+ready+"; exec sleep 600")}
	if err := SendMail(ctx, o, message()); !errors.Is(err, stopped) {
		t.Errorf("err = %v", err)
	}
}

func TestPasswordFileIsNotWaitedFor(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, t.TempDir(), fifo + "x"} {
		o := MailOptions{To: []string{"a@example.com"}, Server: "smtp://ann@127.0.0.1:1", PasswordFile: path}
		if err := SendMail(t.Context(), o, message()); err == nil || !strings.Contains(err.Error(), "password file") {
			t.Errorf("err = %v", err)
		}
	}
}
