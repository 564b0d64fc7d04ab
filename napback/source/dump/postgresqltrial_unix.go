//go:build unix

package dump

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"napback/napback/source"
)

// postgresTrial is a PostgreSQL for one load.
type postgresTrial struct {
	*trialServer
	postgresLoader
}

func (t *postgresTrial) End() { t.trialServer.End() }

// postgresPrograms is where Debian and its kin keep them, and others.
var postgresPrograms = []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/usr/local/pgsql/bin"}

func tryPostgreSQL(ctx context.Context, host source.Host, trying source.Trying) (source.Trial, error) {
	initdb, err1 := serverProgram(host.Kit, "initdb", postgresPrograms...)
	server, err2 := serverProgram(host.Kit, "postgres", postgresPrograms...)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	s, err := newTrialServer(host, trying.Dir, trying.Signed)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(s.dir, "data")
	client := PostgreSQL{User: "postgres", Database: ParsePostgreSQL(trying.Source, nil).Database, Options: []string{"--host=" + s.dir, "--port=5432"}}
	t := &postgresTrial{trialServer: s, postgresLoader: postgresLoader{client: client, signed: trying.Signed,
		serverLoader: serverLoader{Host: s.Host, server: client, other: Other{Of: client.Database}, quote: `"`, trouble: noRole, hint: "this is the server of the drill"}}}
	if err := s.run(ctx, initdb, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"); err != nil {
		return nil, err
	}
	if err := s.start(ctx, t.isOurs, server, "-D", data, "-k", s.dir, "-h", "", "-p", "5432", "-F"); err != nil {
		t.End()
		return nil, err
	}
	return t, nil
}

func (t *postgresTrial) ask(ctx context.Context, query string) (string, error) {
	return ask(ctx, t.trialServer.Host, t.client.query(query))
}

// isOurs makes sure that it is the server of the drill that answers.
func (t *postgresTrial) isOurs(ctx context.Context) error {
	data, err := t.ask(ctx, "SHOW data_directory")
	if want := filepath.Join(t.dir, "data"); err == nil && filepath.Clean(data) != want {
		err = fmt.Errorf("another server answers, of %q", data)
	}
	return err
}

// Judge makes the roles that a dump of one database needs, and does not have.
func (t *postgresTrial) Judge(ctx context.Context, printed []byte) error {
	missing, err := t.missing(ctx, printed)
	if err != nil || len(missing) == 0 {
		return err
	}
	_, err = t.ask(ctx, createRoles(missing))
	return err
}

// Prove counts what has been loaded.
func (t *postgresTrial) Prove(ctx context.Context) (string, error) {
	present, err := ask(ctx, t.trialServer.Host, t.client.Present())
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("loaded into a server of its own: %s (%s)", plural(present, "database"), names(present)), nil
}
