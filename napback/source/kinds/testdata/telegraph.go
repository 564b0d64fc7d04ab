// Package telegraph is a kind of source for a test: a message in Morse code, as a
// program of the job taps it. It has an option of each form.
package telegraph

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"napback/napback/chain"
	"napback/napback/source"
	"napback/napback/state"
)

// Telegraph is the kind of messages that are tapped.
func Telegraph() source.Kind {
	return source.Kind{
		Name:    "Telegraph",
		Program: "Tap",
		Options: []source.Option{
			{Name: "Tap", Form: source.Program, Own: true},
			{Name: "Receiver", Form: source.Program},
			{Name: "Code", Repeat: true, Check: func(word string) error {
				if strings.Trim(word, ".-") != "" {
					return errors.New("want dots and dashes")
				}
				return nil
			}},
			{Name: "Silent", Form: source.Switch},
			source.RunAs(),
		},
		Clean: func(argument string) (string, error) { return argument, nil },
		Open: func(_ context.Context, host source.Host, job source.Job) (source.Source, error) {
			s, err := stage(host, job.Options["Tap"])
			return &message{job, s}, err
		},
		Load: func(host source.Host, load source.Load) (source.Loader, error) {
			if len(load.Options["Receiver"]) == 0 {
				return nil, errors.New("no Receiver is configured")
			}
			s, err := stage(host, load.Options["Receiver"])
			return &receiver{stage: s}, err
		},
	}
}

func stage(host source.Host, words []string) (chain.Stage, error) {
	path, ok := host.Kit.Program(words[0])
	if !ok {
		return chain.Stage{}, fmt.Errorf("%q is not in PATH", words[0])
	}
	return host.Kit.Stage("telegraph", path, words[1:]), nil
}

type message struct {
	job   source.Job
	stage chain.Stage
}

func (m *message) Hash() []any                               { return []any{m.job.Kind, m.job.Source, m.job.Options["Tap"]} }
func (m *message) WhyNotDiff(source.Turn) string             { return "" }
func (m *message) Unchanged(*state.Point) bool               { return false }
func (m *message) Empty() bool                               { return false }
func (m *message) Unpack() string                            { return "cat" }
func (m *message) Explain(err error) error                   { return err }
func (m *message) Stages() []chain.Stage                     { return []chain.Stage{m.stage} }
func (m *message) Heard(string, string) bool                 { return !m.job.Options.On("Silent") }
func (m *message) Bytes() int64                              { return 0 }
func (m *message) End()                                      {}
func (m *message) Begin(source.Turn) (source.Reading, error) { return m, nil }
func (m *message) Plan(source.Turn) (string, []chain.Stage, error) {
	return "", m.Stages(), nil
}
func (m *message) Finish(*state.Point, []chain.Status) error { return nil }

type receiver struct {
	source.Unseen
	stage chain.Stage
}

func (r *receiver) Where() string                                 { return "by its receiver" }
func (r *receiver) Target(context.Context) (string, error)        { return "into the receiver", nil }
func (r *receiver) Prepare(context.Context) error                 { return nil }
func (r *receiver) Before() ([]chain.Stage, error)                { return nil, nil }
func (r *receiver) Stages(context.Context) ([]chain.Stage, error) { return []chain.Stage{r.stage}, nil }
func (r *receiver) Explain(err error) error                       { return err }
func (r *receiver) Undo(context.Context) string                   { return "send STOP" }
