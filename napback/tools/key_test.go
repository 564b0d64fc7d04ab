package tools

import (
	"fmt"
	"testing"

	"napback/napback/config"
	"napback/napback/source/kinds"
)

func TestTheEndpointOfAStateIsTheOneThatIsUsed(t *testing.T) {
	for _, c := range []struct {
		configured string
		env        []string
		want       string
	}{
		{"", nil, ""},
		{"https://s3.example/", []string{"AWS_ENDPOINT_URL_S3=http://a"}, "https://s3.example"},
		{"", []string{"AWS_ENDPOINT_URL=http://b", "AWS_ENDPOINT_URL_S3=http://a"}, "http://a"},
		{"", []string{"AWS_ENDPOINT_URL_S3=", "AWS_ENDPOINT_URL=http://b"}, "http://b"},
	} {
		if got := Endpoint(&config.Settings{Told: config.Told{"Endpoint": {c.configured}}}, c.env); got != c.want {
			t.Errorf("%q with %q: %q; want %q", c.configured, c.env, got, c.want)
		}
	}
}

// Profiles may have endpoints of their own: a bucket of one name in two of them is two.
func TestAnotherProfileIsAnotherState(t *testing.T) {
	seen := map[string]string{}
	for _, c := range []struct {
		set  config.Settings
		env  []string
		same string // the earlier one that it is the same as
	}{
		{config.Settings{}, nil, ""},
		{config.Settings{Told: config.Told{"Profile": {"one"}}}, nil, ""},
		{config.Settings{Told: config.Told{"Profile": {"two"}}}, nil, ""},
		{config.Settings{}, []string{"AWS_PROFILE=one"}, "one"},
		{config.Settings{}, []string{"AWS_DEFAULT_PROFILE=two"}, "two"},
		{config.Settings{Told: config.Told{"Profile": {"two"}}}, []string{"AWS_PROFILE=one"}, "two"},
		{config.Settings{Told: config.Told{"Endpoint": {"http://a"}}}, nil, ""},
		{config.Settings{Told: config.Told{"Endpoint": {"http://a"}, "Profile": {"one"}}}, nil, "http://a"},
	} {
		c.set.Bucket = "bk"
		job := &config.Job{Kind: kinds.Of("Directory"), Source: "/x", Name: "x", Settings: c.set}
		key := fmt.Sprint(StateKey(job, c.env))
		if old, known := seen[key]; known != (c.same != "") || known && old != c.same {
			t.Errorf("profile %q, endpoint %q with %q has the state of %q; want %q", c.set.Profile(), c.set.Endpoint(), c.env, old, c.same)
		} else if !known {
			seen[key] = c.set.Profile() + c.set.Endpoint()
		}
	}
}
