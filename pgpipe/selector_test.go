package main

import (
	"strings"
	"testing"

	"napback/internal/cli"
)

func TestParseRecipient(t *testing.T) {
	for text, want := range map[string]selector{
		"0xdeadbeef":            {hex: "DEADBEEF"},
		"dead beef":             {hex: "DEADBEEF"},
		" 0123456789abcdef! ":   {hex: "0123456789ABCDEF", subkey: true},
		"A@B.example":           {email: "a@b.example"},
		"<a@b>":                 {email: "a@b"},
		"Alice <a@b>":           {email: "a@b", userID: "Alice <a@b>"},
		" Al (x) <A@B.org> ":    {email: "a@b.org", userID: "Al (x) <A@B.org>"},
		"deadbee@deadbeef":      {email: "deadbee@deadbeef"},
		"\u212a@example.org":    {email: "\u212a@example.org"}, // the Kelvin sign is no k
		strings.Repeat("a", 64): {hex: strings.Repeat("A", 64)},
	} {
		got, err := parseRecipient(text)
		want.text = text
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "!", "alice", "0xdeadbee", "a@", "@b", "a b@c", "<a@b", "Alice <a@b", "Alice <b>", "Alice <a@b>!", "Alice <a@b> x", "a@b!", "<>", "0x", "0x0xdeadbeef", "a@b>c"} {
		if got, err := parseRecipient(text); cli.ExitStatus(err) != cli.Usage {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

func TestAddressOfAUserID(t *testing.T) {
	for id, want := range map[string]string{
		"Alice <a@b>":          "a@b",
		"a@b":                  "a@b",
		"Alice <A@B.Example> ": "a@b.example",
		"Alice (a@b) <c@d>":    "c@d",
		"<a@b> Mallory <m@n>":  "m@n",
		"Mallory <m@n> <a@b":   "",
		"<a@b> Mallory":        "",
		"Alice":                "",
		"Alice a@b":            "",
		"":                     "",
		"Alice <a@b\x00@c d>":  "",
	} {
		if got := address(id); got != want {
			t.Errorf("address(%q) = %q, want %q", id, got, want)
		}
	}
}

func FuzzParseRecipient(f *testing.F) {
	for _, s := range []string{"a@b", "0xDEADBEEF!", "<a@b>", "0123 4567 89ab cdef", "", "!"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseRecipient(text)
		if err != nil {
			return
		}
		if (s.hex == "") == (s.email == "") || s.subkey && s.hex == "" {
			t.Fatalf("parseRecipient(%q) = %+v", text, s)
		}
		canonical := s.hex + s.email
		if again, err := parseRecipient(canonical); err != nil || again.hex != s.hex || again.email != s.email {
			t.Fatalf("%q is %+v, but %q is %+v, %v", text, s, canonical, again, err)
		}
	})
}
