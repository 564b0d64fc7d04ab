//go:build unix

package dump

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"napback/napback/source"
)

// mysqlTrial is a MariaDB for one load.
type mysqlTrial struct {
	*trialServer
	serverLoader
	client MySQL
}

func (t *mysqlTrial) End() { t.trialServer.End() }

func tryMySQL(ctx context.Context, host source.Host, trying source.Trying) (source.Trial, error) {
	install, err1 := serverProgram(host.Kit, "mariadb-install-db")
	server, err2 := serverProgram(host.Kit, "mariadbd", "/usr/sbin", "/usr/libexec")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	s, err := newTrialServer(host, trying.Dir, trying.Signed)
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(s.dir, "s")
	client := ParseMySQL(trying.Source, []string{"--no-defaults", "--user=root"})
	client.Socket = socket
	t := &mysqlTrial{trialServer: s, client: client, serverLoader: serverLoader{Host: s.Host, server: client, other: Other{Of: client.Database}, quote: "`", trouble: largeRow,
		hint: "this is the server of the drill"}}
	files := []string{"--no-defaults", "--datadir=" + filepath.Join(s.dir, "data"), "--innodb-buffer-pool-size=64M"}
	if err := s.run(ctx, install, append(files, "--auth-root-authentication-method=normal", "--skip-test-db")...); err != nil {
		return nil, err
	}
	err = s.start(ctx, t.isOurs, server, append(files, "--socket="+socket, "--skip-networking", "--pid-file="+filepath.Join(s.dir, "pid"),
		"--innodb-flush-log-at-trx-commit=0", "--event-scheduler=OFF", "--max-allowed-packet=1G", "--skip-log-bin")...)
	if err != nil {
		t.End()
		return nil, err
	}
	return t, nil
}

func (t *mysqlTrial) ask(ctx context.Context, query string) (string, error) {
	return ask(ctx, t.trialServer.Host, t.client.query(query))
}

// isOurs makes sure that it is the server of the drill that answers.
func (t *mysqlTrial) isOurs(ctx context.Context) error {
	data, err := t.ask(ctx, "SELECT @@datadir")
	if want := filepath.Join(t.dir, "data"); err == nil && filepath.Clean(data) != want {
		err = fmt.Errorf("another server answers, of %q", data)
	}
	return err
}

// denied matches how the client says that the server does not let it in.
var denied = regexp.MustCompile(`ERROR (?:1045|1698|1862|4151) `)

// Prove counts what has been loaded, if the server still lets it: a dump of all databases
// brings its own users, with their passwords.
func (t *mysqlTrial) Prove(ctx context.Context) (string, error) {
	present, err := ask(ctx, t.trialServer.Host, t.client.Present())
	if err != nil && t.client.Database == All && denied.MatchString(err.Error()) {
		return "loaded into a server of its own, with its users: nobody else can count what is there", nil
	}
	if err != nil {
		return "", err
	}
	tables, err := t.ask(ctx, "SELECT COUNT(*), SUM(table_type = 'VIEW') FROM information_schema.tables WHERE table_schema NOT IN ("+systemSchemas+")")
	if err != nil {
		return "", err
	}
	counts := strings.Fields(tables)
	return fmt.Sprintf("loaded into a server of its own: %s, %s tables and views (%s)", plural(present, "database"), counts[0], names(present)), nil
}
