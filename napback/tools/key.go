package tools

import (
	"strings"

	"napback/napback/config"
	"napback/napback/state"
)

// StateKey names the state of a job: the store as its tools will use it. Where
// no endpoint is given a profile may have one, which only the S3 tools read: then
// the profile stands for it.
func StateKey(job *config.Job, env []string) state.Key {
	endpoint := Endpoint(&job.Settings, env)
	if profile := setOrEnv(job.Settings.Profile(), env, "AWS_PROFILE", "AWS_DEFAULT_PROFILE"); endpoint == "" && profile != "" {
		endpoint = "profile " + profile
	}
	return state.Key{Name: job.Name, Endpoint: endpoint, Bucket: job.Settings.Bucket, Source: job.String()}
}

// Endpoint is the endpoint that the S3 tools are told: that of the configuration,
// else of the environment; "" is AWS, or what a profile says.
func Endpoint(set *config.Settings, env []string) string {
	return strings.TrimRight(setOrEnv(set.Endpoint(), env, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"), "/")
}

// setOrEnv is a setting, or else the first of the variables that is not empty.
func setOrEnv(setting string, env []string, names ...string) string {
	for _, name := range names {
		for _, kv := range env {
			if value, ok := strings.CutPrefix(kv, name+"="); ok && setting == "" {
				setting = value
			}
		}
	}
	return setting
}
