// Package command is a kind of source for a test: the output of any program.
package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"napback/napback/chain"
	"napback/napback/source"
	"napback/napback/state"
)

// Command is the kind of programs' outputs.
func Command() source.Kind {
	return source.Kind{
		Name:  "Command",
		Words: true,
		Options: []source.Option{
			{Name: "OkExit", Repeat: true, Check: func(word string) error {
				_, err := strconv.ParseUint(word, 10, 8)
				return err
			}},
			{Name: "Load", Form: source.Program},
			{Name: "Quiet", Form: source.Switch},
		},
		Clean: func(argument string) (string, error) { return argument, nil },
		Open: func(_ context.Context, host source.Host, job source.Job) (source.Source, error) {
			s, err := stage(host, job.Words)
			if err != nil {
				return nil, err
			}
			s.Accept = func(s chain.Status) bool {
				for _, code := range job.Options["OkExit"] {
					if strconv.Itoa(s.Code) == code {
						return true
					}
				}
				return false
			}
			return &output{job, s}, nil
		},
		Load: func(host source.Host, load source.Load) (source.Loader, error) {
			if len(load.Options["Load"]) == 0 {
				return nil, errors.New("no Load is configured")
			}
			s, err := stage(host, load.Options["Load"])
			return &loader{s}, err
		},
	}
}

func stage(host source.Host, words []string) (chain.Stage, error) {
	path, ok := host.Kit.Program(words[0])
	if !ok {
		return chain.Stage{}, fmt.Errorf("%q is not in PATH", words[0])
	}
	return host.Kit.Stage("command", path, words[1:]), nil
}

type output struct {
	job   source.Job
	stage chain.Stage
}

func (o *output) Hash() []any                               { return []any{o.job.Kind, o.job.Source, o.job.Words} }
func (o *output) WhyNotDiff(source.Turn) string             { return "" }
func (o *output) Unchanged(*state.Point) bool               { return false }
func (o *output) Empty() bool                               { return false }
func (o *output) Unpack() string                            { return "cat" }
func (o *output) Explain(err error) error                   { return err }
func (o *output) Stages() []chain.Stage                     { return []chain.Stage{o.stage} }
func (o *output) Heard(string, string) bool                 { return !o.job.Options.On("Quiet") }
func (o *output) Bytes() int64                              { return 0 }
func (o *output) End()                                      {}
func (o *output) Begin(source.Turn) (source.Reading, error) { return o, nil }
func (o *output) Plan(source.Turn) (string, []chain.Stage, error) {
	return "", o.Stages(), nil
}
func (o *output) Finish(*state.Point, []chain.Status) error { return nil }

type loader struct{ stage chain.Stage }

func (l *loader) Where() string                                 { return "by its program" }
func (l *loader) Prepare(context.Context) error                 { return nil }
func (l *loader) Before() ([]chain.Stage, error)                { return nil, nil }
func (l *loader) Stages(context.Context) ([]chain.Stage, error) { return []chain.Stage{l.stage}, nil }
func (l *loader) Explain(err error) error                       { return err }
