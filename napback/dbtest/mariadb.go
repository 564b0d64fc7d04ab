//go:build unix

package dbtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"napback/internal/tooltest"
)

// MariaDB starts an empty MariaDB. Its user root has no password and may come
// from anyone who reaches the socket.
func MariaDB(t testing.TB) *Server {
	t.Helper()
	return mariaDB(t, filepath.Join(directory(t), "s"))
}

// MariaDBAt is MariaDB at the socket of one that was killed.
func MariaDBAt(t testing.TB, socket string) *Server {
	t.Helper()
	_ = os.Remove(socket)
	return mariaDB(t, socket)
}

func mariaDB(t testing.TB, socket string) *Server {
	t.Helper()
	dir := directory(t)
	data := filepath.Join(dir, "data")
	small := []string{"--no-defaults", "--datadir=" + data, "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=16M"}
	run(t, dir, tooltest.System(t, "mariadb-install-db"),
		append(small, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	s := &Server{t: t, Socket: socket}
	s.client = func(database string, args ...string) *exec.Cmd {
		args = append([]string{"--no-defaults", "--socket=" + socket, "--user=root", "--default-character-set=utf8mb4",
			"--binary-mode", "--batch", "--raw", "--skip-column-names"}, args...)
		return exec.Command(tooltest.System(t, "mariadb"), append(args, database)...)
	}
	s.start(dir, tooltest.System(t, "mariadbd"), append(small,
		"--socket="+socket, "--skip-networking", "--pid-file="+filepath.Join(dir, "pid"),
		"--innodb-flush-log-at-trx-commit=0", "--event-scheduler=OFF")...)
	return s
}

// FillMariaDB makes the databases shop and `odd name`, and users.
func FillMariaDB(s *Server) {
	s.Query("", strings.ReplaceAll(mariaDBData, "EVERYBYTE", everyByte()))
	// More than a chunk, of values that do not compress.
	s.Query("shop", `
CREATE TABLE big (id INT PRIMARY KEY, h VARBINARY(4096) NOT NULL);
INSERT INTO big SELECT seq, (SELECT GROUP_CONCAT(UNHEX(SHA2(CONCAT(seq_1000.seq, '-', s.seq), 512)) SEPARATOR '') FROM seq_1_to_16 s) FROM seq_1_to_1000 AS seq_1000;
`)
}

const mariaDBData = `
SET NAMES utf8mb4;
CREATE DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE DATABASE ` + "`odd name-é'\"`" + ` CHARACTER SET latin1;
CREATE DATABASE hollow;
CREATE USER ann@localhost IDENTIFIED BY 'secret of ann';
GRANT SELECT, INSERT ON shop.* TO ann@localhost WITH GRANT OPTION;
CREATE ROLE clerk; GRANT clerk TO ann@localhost;
USE shop;
CREATE TABLE customer (
  id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(200) NOT NULL, note TEXT, UNIQUE KEY (name(50))
) ENGINE=InnoDB COMMENT='it''s "quoted" \\ ; -- /* not a comment */';
INSERT INTO customer (id, name, note) VALUES
 (1, 'O''Brien "Bob" \\ backslash', 'line one\nline two\r\nline three\ttab'),
 (2, '日本語 😀 é ß', NULL), (3, '', 'NULL'), (4, '\0 nul \Z sub', '-- Dump completed'),
 (7, '; DROP TABLE customer; --', '\\! touch /tmp/never'), (100, 'hundred', REPEAT('x', 300));
INSERT INTO customer (id, name) VALUES (5, '$HOME ` + "`tick` %s %n" + `');
CREATE TABLE item (
  id INT PRIMARY KEY, customer INT NOT NULL, b LONGBLOB, bits BIT(64), bin BINARY(8), fix CHAR(8),
  price DECIMAL(30,10), f DOUBLE, d DATE, dt DATETIME(6), ts TIMESTAMP(6) NULL, y YEAR, t TIME(3),
  e ENUM('a','it''s','ü'), s SET('x','y','z'), j JSON, g GEOMETRY,
  twice DECIMAL(30,10) AS (price * 2) PERSISTENT, v INT AS (id + 1) VIRTUAL,
  FOREIGN KEY (customer) REFERENCES customer (id) ON DELETE CASCADE
) ENGINE=InnoDB;
INSERT INTO item (id, customer, b, bits, bin, fix, price, f, d, dt, ts, y, t, e, s, j, g) VALUES
 (1, 1, UNHEX('EVERYBYTE'), b'1000000110000000000000000000000000000000000000000000000011111111', UNHEX('00ff00'), 'abc',
  12345678901234567890.0123456789, 0.1, '1000-01-01', '9999-12-31 23:59:59.999999', '2026-03-29 02:30:00.5', 2155, '-838:59:59.000',
  'it''s', 'x,z', '{"a": [1, "é", null]}', ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')),
 (2, 2, '', b'0', UNHEX('0d0a'), '', 0, -1.7976931348623157e308, '2026-02-28', '2026-10-25 02:30:00', NULL, 1901, '00:00:00',
  'ü', '', '"x"', NULL),
 (3, 3, REPEAT(UNHEX('00275c0a1a'), 200000), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE old (a VARCHAR(50)) ENGINE=MyISAM CHARACTER SET latin1;
INSERT INTO old VALUES ('caf\é'), (CONVERT(UNHEX('e9fcdf') USING latin1));
CREATE TABLE parts (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3;
INSERT INTO parts VALUES (1), (2), (3), (4);
CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 7;
SELECT NEXTVAL(numbers);
CREATE VIEW rich AS SELECT c.name, i.price FROM customer c JOIN item i ON i.customer = c.id WHERE i.price > 1;
CREATE VIEW richer AS SELECT name FROM rich WHERE name LIKE '%"%' ;
CREATE DEFINER=ann@localhost SQL SECURITY DEFINER VIEW anns AS SELECT 1 AS one;
CREATE TABLE audit (n INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(100));
DELIMITER //
CREATE TRIGGER watch AFTER INSERT ON customer FOR EACH ROW
BEGIN
  INSERT INTO audit (what) VALUES (CONCAT('new; "', NEW.name, '"')); -- it's
END//
CREATE FUNCTION double_of(x INT) RETURNS INT DETERMINISTIC
BEGIN
  /* a; b */ RETURN x * 2;
END//
CREATE PROCEDURE add_customer(IN who VARCHAR(200))
BEGIN
  INSERT INTO customer (name) VALUES (who);
  SELECT double_of(21), 'é😀''';
END//
CREATE EVENT sweep ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DISABLE DO
BEGIN DELETE FROM audit; END//
DELIMITER ;
CREATE TABLE ` + "`odd name-é'\"`.`t a;b`" + ` (` + "`col ``x```" + ` VARCHAR(10));
INSERT INTO ` + "`odd name-é'\"`.`t a;b`" + ` VALUES ('é');
`

// MariaDBContent is all that a database holds: every table's rows in the order
// of all their columns, and the definitions of everything.
func MariaDBContent(s *Server, database string) string {
	s.t.Helper()
	var b strings.Builder
	quoted := "`" + strings.ReplaceAll(database, "`", "``") + "`"
	b.WriteString(s.Query("", "SHOW CREATE DATABASE "+quoted+";"))
	where := " WHERE table_schema = '" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(database) + "'"
	for line := range strings.Lines(s.Query("", "SELECT HEX(table_name), table_type FROM information_schema.tables"+where+" ORDER BY 1;")) {
		name, kind, _ := strings.Cut(strings.TrimSpace(line), "\t")
		table := "`" + strings.ReplaceAll(unhex(s.t, name), "`", "``") + "`"
		if strings.Contains(kind, "VIEW") {
			b.WriteString(s.Query(database, "SHOW CREATE VIEW "+table+";"))
			continue
		}
		b.WriteString(s.Query(database, "SHOW CREATE TABLE "+table+";"))
		columns := s.Query("", "SELECT GROUP_CONCAT(CONCAT('IFNULL(HEX(CAST(`', REPLACE(column_name, '`', '``'), '` AS BINARY)), ''-'')') ORDER BY ordinal_position) FROM information_schema.columns"+
			where+" AND HEX(table_name) = '"+name+"';")
		if kind == "SEQUENCE" {
			columns = "next_not_cached_value"
		}
		b.WriteString(s.Query(database, "SELECT "+columns+" FROM "+table+" ORDER BY "+order(strings.Count(columns, "IFNULL"))+";"))
	}
	b.WriteString(s.Query("", "SELECT routine_name, routine_type, routine_definition, dtd_identifier, security_type, definer, sql_mode, character_set_client FROM information_schema.routines"+
		strings.Replace(where, "table_schema", "routine_schema", 1)+" ORDER BY 1;"))
	b.WriteString(s.Query("", "SELECT trigger_name, event_manipulation, action_statement, action_timing, definer FROM information_schema.triggers"+
		strings.Replace(where, "table_schema", "trigger_schema", 1)+" ORDER BY 1;"))
	b.WriteString(s.Query("", "SELECT event_name, event_definition, interval_value, starts, status, definer FROM information_schema.events"+
		strings.Replace(where, "table_schema", "event_schema", 1)+" ORDER BY 1;"))
	return b.String()
}

// MariaDBUsers is who may do what.
func MariaDBUsers(s *Server) string {
	s.t.Helper()
	return s.Query("mysql", "SELECT User, Host, JSON_COMPACT(Priv) FROM global_priv ORDER BY 1, 2; SELECT * FROM db ORDER BY Host, Db, User; SELECT * FROM roles_mapping ORDER BY 1, 2, 3;")
}
