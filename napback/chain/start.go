package chain

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// running is a chain between its start and its end.
type running struct {
	chain    *Chain
	procs    []*process
	status   []Status // filled as stages end
	ended    chan ending
	announce chan string    // the sink's first line
	listen   *os.File       // our end of the sink's stdout; nil without Commit
	listener sync.WaitGroup // reads listen
	commit   *os.File       // our end of the commit pipe; nil once closed
	logging  sync.Mutex     // held while Chain.Log runs
	pumps

	done      int    // how many stages have ended
	named     string // the sink's first line, once it has come
	hasName   bool
	committed bool
	refused   error // why Commit did not agree, or what could not be started
	broken    error // of a pump, before a stage failed for its own
}

// ending tells that stage number i has ended, and how.
type ending struct {
	i      int
	status Status
}

// process is one started stage.
type process struct {
	stage  Stage
	cmd    *exec.Cmd
	stderr *tail
}

// stderrDelay is how long a stage's stderr is read after the stage has ended:
// a daemon that it left behind may hold it open for ever.
const stderrDelay = 2 * time.Second

// start starts all stages. If one cannot be started, it also returns the
// error; the others are then still to be ended and waited for.
func (c *Chain) start() (*running, error) {
	r := &running{
		chain:    c,
		status:   make([]Status, len(c.Stages)),
		ended:    make(chan ending, len(c.Stages)),
		announce: make(chan string, 1),
		pumps:    pumps{gone: make(chan struct{})},
	}
	next, err := r.openIn() // what the next stage reads
	for i := 0; err == nil && i < len(c.Stages); i++ {
		last := i == len(c.Stages)-1
		var out, after *os.File
		var extra []*os.File
		var opened []*os.File // closed here once the stage has them
		if next != nil && next != c.In {
			opened = append(opened, next)
		}
		switch {
		case !last:
			if after, out, err = os.Pipe(); err == nil {
				enlarge(out)
				opened = append(opened, out)
			}
		case c.Commit != nil:
			out, extra, err = r.openSink()
			opened = append(opened, extra...)
			if out != nil {
				opened = append(opened, out)
			}
		default:
			if out, err = r.openOut(); r.out != nil {
				opened = append(opened, out)
			}
		}
		if err == nil {
			err = r.startStage(c.Stages[i], next, out, extra)
		}
		for _, f := range opened {
			f.Close()
		}
		if err != nil && after != nil {
			after.Close()
		}
		next = after
	}
	for i := range r.procs {
		go r.wait(i)
	}
	if err == nil {
		return r, nil
	}
	r.status = r.status[:len(r.procs)]
	r.refused = err
	return r, err
}

// openSink makes the pipes that only a committing sink has: its stdout, which is
// read for its first line, and the one that its commit comes through.
func (r *running) openSink() (out *os.File, extra []*os.File, err error) {
	listen, out, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make pipe: %w", err)
	}
	give, commit, err := os.Pipe()
	if err != nil {
		listen.Close()
		return out, nil, fmt.Errorf("make pipe: %w", err)
	}
	r.commit, r.listen = commit, listen
	r.listener.Go(func() {
		stdout, named := &tail{mu: &r.logging}, false
		stdout.emit = func(line string) {
			switch {
			case !named:
				named = true
				r.announce <- line
			case r.chain.Said != nil:
				r.chain.Said(line)
			}
		}
		_, _ = io.Copy(stdout, listen)
	})
	return out, []*os.File{give}, nil
}

func (r *running) startStage(s Stage, in, out *os.File, extra []*os.File) error {
	p := &process{stage: s, stderr: &tail{mu: &r.logging}}
	if log := r.chain.Log; log != nil {
		p.stderr.emit = func(line string) { log(s.Name, line) }
	}
	if aside := r.chain.Aside; aside != nil {
		p.stderr.aside = func(line string) bool { return aside(s.Name, line) }
	}
	p.cmd = &exec.Cmd{
		Path: s.Path, Args: append([]string{s.Name}, s.Args...), Env: s.Env,
		Stderr: p.stderr, ExtraFiles: extra, WaitDelay: stderrDelay, SysProcAttr: inGroup(r.leader()),
	}
	if s.NoTerminal {
		p.cmd.SysProcAttr = inSession()
	}
	// A nil *os.File in an interface is not the null device.
	if in != nil {
		p.cmd.Stdin = in
	}
	if out != nil {
		p.cmd.Stdout = out
	}
	if err := p.cmd.Start(); err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return fmt.Errorf("start %s (%s): %w", s.Name, s.Path, err)
	}
	r.procs = append(r.procs, p)
	return nil
}

// leader is the process that leads the chain's group; 0 before it is started.
func (r *running) leader() int {
	for _, p := range r.procs {
		if !p.stage.NoTerminal {
			return p.cmd.Process.Pid
		}
	}
	return 0
}

// wait waits for one stage and records how it ended.
func (r *running) wait(i int) {
	p := r.procs[i]
	err := p.cmd.Wait()
	p.stderr.close()
	s := Status{Stage: p.stage.Name, Ended: time.Now(), Stderr: p.stderr.lines}
	if state := p.cmd.ProcessState; state != nil {
		s.Code, s.Signal = state.ExitCode(), signalName(state)
	} else {
		// Wait itself failed: nothing is known, so nothing is trusted.
		s.Code = -1
		s.Stderr = append(s.Stderr, err.Error())
	}
	s.Failed = s.Code != 0 && (p.stage.Accept == nil || !p.stage.Accept(s))
	r.ended <- ending{i, s}
}
