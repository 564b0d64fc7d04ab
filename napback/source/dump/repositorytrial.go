package dump

import (
	"context"
	"fmt"
	"path/filepath"

	"napback/napback/source"
)

// repositoryTrial is a repository that is made for one load.
type repositoryTrial struct {
	repositoryLoader
	live Subversion // what it is of, "" if that is not here
}

func tryRepository(_ context.Context, host source.Host, trying source.Trying) (source.Trial, error) {
	to := Subversion(filepath.Join(trying.Dir, "repository"))
	if _, err := stageOf(host.Kit, to.Create()); err != nil {
		return nil, &source.Absent{What: err.Error()}
	}
	t := &repositoryTrial{repositoryLoader: repositoryLoader{Host: host, to: to}}
	if trying.Live {
		t.live = Subversion(trying.Source)
	}
	return t, nil
}

// Prove has svnadmin read every revision, and compares the last one with the
// repository that it was of.
func (t *repositoryTrial) Prove(ctx context.Context) (string, error) {
	look := func(c Command) (string, error) { return ask(ctx, t.Host, c) }
	youngest, err := look(t.to.Youngest())
	if err != nil {
		return "", err
	}
	if _, err := look(svnadmin("verify", "--quiet", string(t.to))); err != nil {
		return "", err
	}
	proved := fmt.Sprintf("revisions 0 to %s are loaded, svnadmin verifies them", youngest)
	if t.live == "" {
		return proved, nil
	}
	for _, question := range []func(Subversion) Command{
		Subversion.UUID,
		func(s Subversion) Command { return svnlook("date", "-r", youngest, string(s)) },
		func(s Subversion) Command { return svnlook("changed", "-r", youngest, string(s)) },
	} {
		want, err := look(question(t.live))
		if err != nil {
			return proved, fmt.Errorf("compare with the repository: %w", err)
		}
		got, err := look(question(t.to))
		if err != nil {
			return proved, err
		}
		if got != want {
			return proved, fmt.Errorf("revision %s is not what it is in the repository now: was that one replaced?", youngest)
		}
	}
	return proved + fmt.Sprintf(", revision %s is as in the repository", youngest), nil
}

func (t *repositoryTrial) End() {}
