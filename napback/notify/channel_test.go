package notify

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// opened returns the names of the channels that settings ask for.
func opened(t *testing.T, s, outer Settings) string {
	t.Helper()
	all, err := Open(s, outer, mask)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range all {
		names = append(names, one.Name())
	}
	return strings.Join(names, ", ")
}

func TestAChannelIsOpenedWhereItsSettingsAskForIt(t *testing.T) {
	ping := Settings{"PingURL": {"http://h/run"}}
	both := ping.With("MailTo", "a@example.com", "b@example.com")
	for _, c := range []struct {
		name     string
		s, outer Settings
		want     string
	}{
		{"nothing", nil, nil, ""},
		{"a run with both", both, nil, "the ping, the mail"},
		{"nobody to mail to", Settings{"MailFrom": {"a@example.com"}}, nil, ""},
		{"a job with what the run has", both, both, ""},
		{"a job with a URL of its own", both.With("PingURL", "http://h/job"), both, "the ping"},
		{"a job of a run without", both.With("PingURL", "http://h/job"), both.With("PingURL"), "the ping"},
	} {
		if got := opened(t, c.s, c.outer); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if all, err := Open(both.With("PingURL", "h/"+check), nil, mask); len(all) != 1 || err == nil || strings.Contains(err.Error(), check) {
		t.Errorf("%v, %v", all, err)
	}
	if got := Secrets(Settings{"PingURL": {"http://h/" + check}, "MailTo": {"root"}}); !slices.Equal(got, []string{"http://h/" + check, check}) {
		t.Errorf("secrets %q", got)
	}
}

func TestSettingsAreNotChangedInPlace(t *testing.T) {
	top := Settings{"MailTo": {"a"}}
	if block := top.With("PingURL", "u"); block.One("PingURL") != "u" || block.One("MailTo") != "a" || top.One("PingURL") != "" {
		t.Errorf("%v and %v", top, block)
	}
}

func TestOfOneDirectiveThereIsOneKind(t *testing.T) {
	seen := map[string]string{}
	for i, kind := range Kinds() {
		if kind.Open == nil || len(kind.Directives) == 0 {
			t.Errorf("an entry is not whole: %+v", kind)
		}
		for _, d := range kind.Directives {
			if other := seen[strings.ToLower(d.Name)]; other != "" {
				t.Errorf("%s is a directive of %s and of kind %d", d.Name, other, i)
			}
			seen[strings.ToLower(d.Name)] = fmt.Sprint("kind ", i)
		}
	}
}

func TestMailIsSentWhenItIsDue(t *testing.T) {
	for on, want := range map[string]int{"": 1, "failure": 1, "warning": 2, "always": 3} {
		s := startServer(t, serverSetup{})
		settings := Settings{"MailTo": {"a@example.com"}, "MailServer": {s.addr}}
		if on != "" {
			settings = settings.With("MailOn", on)
		}
		all, err := Open(settings, nil, mask)
		if err != nil || len(all) != 1 {
			t.Fatal(all, err)
		}
		if err := all[0].Start(t.Context()); err != nil {
			t.Error(err)
		}
		for _, ending := range []Ending{OK, Warnings, Failed} {
			r := message()
			r.Ending = ending
			if err := all[0].Finish(t.Context(), r); err != nil {
				t.Error(err)
			}
		}
		if got := len(s.inbox()); got != want {
			t.Errorf("MailOn %q: %d mails, want %d", on, got, want)
		}
	}
}

// The run that has the lock tells about itself: a ping of another one would end
// it in the eyes of the service. A mail is the only word of the other.
func TestARunThatIsLockedOutMailsAndDoesNotPing(t *testing.T) {
	m, s := startMonitor(t, fine), startServer(t, serverSetup{})
	all, err := Open(Settings{"PingURL": {m.URL}, "MailTo": {"a@example.com"}, "MailServer": {s.addr}}, nil, mask)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	r := message()
	r.Locked = true
	for _, one := range all {
		if err := one.Finish(t.Context(), r); err != nil {
			t.Error(err)
		}
	}
	if len(m.heard()) != 0 || len(s.inbox()) != 1 {
		t.Errorf("calls %q, %d mails", m.heard(), len(s.inbox()))
	}
}
