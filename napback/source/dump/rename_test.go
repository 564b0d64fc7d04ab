package dump

import (
	"bytes"
	"strings"
	"testing"

	"napback/internal/cli"
)

func renamed(text string, other Other, mysql bool) (string, error) {
	var out bytes.Buffer
	var err error
	if mysql {
		err = RenameMySQL(&out, strings.NewReader(text), other)
	} else {
		err = SafeSQL(&out, strings.NewReader(text), "", other)
	}
	return out.String(), err
}

func TestADumpGoesToADatabaseOfAnotherName(t *testing.T) {
	for _, c := range []struct {
		of, from, to string
		mysql        bool
	}{
		{of: "shop", from: "CREATE DATABASE shop WITH TEMPLATE = template0;\nALTER DATABASE shop OWNER TO ann;\n\\connect shop\nCOMMENT ON DATABASE shop IS 'DATABASE x';\n" +
			"ALTER ROLE ann IN DATABASE shop SET a TO 'b';\nGRANT ALL ON DATABASE shop TO ann;\n-- DATABASE other\nSELECT t.database, \"DATABASE x\" FROM t;\nCREATE FUNCTION f() AS $$ DROP DATABASE x $$;\n" +
			"COPY t FROM stdin;\nDATABASE x\n\\.\n",
			to: "CREATE DATABASE \"new-1\" WITH TEMPLATE = template0;\nALTER DATABASE \"new-1\" OWNER TO ann;\n\\connect \"new-1\"\nCOMMENT ON DATABASE \"new-1\" IS 'DATABASE x';\n" +
				"ALTER ROLE ann IN DATABASE \"new-1\" SET a TO 'b';\nGRANT ALL ON DATABASE \"new-1\" TO ann;\n-- DATABASE other\nSELECT t.database, \"DATABASE x\" FROM t;\nCREATE FUNCTION f() AS $$ DROP DATABASE x $$;\n" +
				"COPY t FROM stdin;\nDATABASE x\n\\.\n"},
		{of: `a=b "c" \ 'd`, from: "CREATE DATABASE \"a=b \"\"c\"\" \\ 'd\";\n\\connect -reuse-previous=on \"dbname='a=b \"\"c\"\" \\\\ \\'d'\"\n",
			to: "CREATE DATABASE \"new-1\";\n\\connect \"new-1\"\n"},
		{mysql: true, of: "shop", from: "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `shop` /*!40100 DEFAULT CHARACTER SET latin1 */;\n\nUSE `shop`;\nINSERT INTO `t` VALUES ('USE `x`;');\n" +
			"ALTER DATABASE `shop` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;\nDELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN\nuse the other one;\nEND ;;\nDELIMITER ;\nUSE `shop`;\n",
			to: "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `new-1` /*!40100 DEFAULT CHARACTER SET latin1 */;\n\nUSE `new-1`;\nINSERT INTO `t` VALUES ('USE `x`;');\n" +
				"ALTER DATABASE `new-1` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;\nDELIMITER ;;\nCREATE PROCEDURE p()\nBEGIN\nuse the other one;\nEND ;;\nDELIMITER ;\nUSE `new-1`;\n"},
		{mysql: true, of: "a`b", from: "USE `a``b`;\n" + strings.Repeat("x", 3<<20) + "USE `y`;\n", to: "USE `new-1`;\n" + strings.Repeat("x", 3<<20) + "USE `y`;\n"},
	} {
		got, err := renamed(c.from, Other{c.of, "new-1"}, c.mysql)
		if err != nil || got != c.to {
			t.Errorf("%v\n%s\nwant\n%s", err, got, c.to)
		}
	}
}

// A statement about another database than the dump's own would change one that is
// there.
func TestADumpUnderAnotherNameTouchesNoThirdDatabase(t *testing.T) {
	for _, text := range []string{
		"\\connect other\n", "\\connect \"Shop\"\n", "\\connect -reuse-previous=on \"dbname='a=b'\"\n", "ALTER DATABASE other OWNER TO x;\n", "DROP DATABASE \"Shop\";\n",
		"COMMENT ON DATABASE  shop IS 'x';\n", "GRANT ALL ON DATABASE shop2 TO x;\n", "ALTER DATABASE shop", "CREATE DATABASE \"shop",
	} {
		if got, err := renamed(text, Other{"shop", "new"}, false); cli.ExitStatus(err) != cli.Integrity {
			t.Errorf("%q: %v, passes on %q", text, err, got)
		}
	}
	for _, text := range []string{
		"USE `other`;\n", "use shop;\n", "USE `shop` ; DROP TABLE x;\n", "CREATE DATABASE `other`;\n", "DROP DATABASE `shop`;\n", "drop schema x;\n", "/*!40000 DROP DATABASE IF EXISTS `shop`*/;\n",
		"DELIMITER ;;\nx;;\nDELIMITER ;\nUSE `other`;\n", "USE `shop`;USE `other`;\n", "CREATE OR REPLACE DATABASE `other`;\n", "USE `other`;",
	} {
		if got, err := renamed(text, Other{"shop", "new"}, true); cli.ExitStatus(err) != cli.Integrity {
			t.Errorf("%q: %v, passes on %q", text, err, got)
		}
	}
}

func TestTheRolesThatADumpNeedsAreFound(t *testing.T) {
	const text = `SET client_encoding = 'UTF8';
-- Name: t; Owner: comment
CREATE SCHEMA x;
ALTER SCHEMA x OWNER TO owner1;
ALTER FUNCTION x.f(a integer, "TO b" text) OWNER TO "Owner ""2""";
COMMENT ON TABLE t IS 'x OWNER TO text; GRANT a TO text;';
CREATE FUNCTION g() AS $$ GRANT a TO body; $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO PUBLIC;
GRANT SELECT(a),INSERT ON TABLE x."ON t TO u" TO granted1;
GRANT SELECT ON TABLE t TO "Granted É" WITH GRANT OPTION;
SET SESSION AUTHORIZATION session1;
RESET SESSION AUTHORIZATION;
REVOKE ALL ON TABLE t FROM revoked1;
ALTER DEFAULT PRIVILEGES FOR ROLE default1 IN SCHEMA x GRANT SELECT ON TABLES TO default2;
ALTER ROLE setting1 IN DATABASE shop SET a TO 'b';
CREATE POLICY p ON t FOR SELECT TO policy1, policy2 USING ((a = b));
CREATE USER MAPPING FOR mapped1 SERVER s OPTIONS (a 'b');
COPY t FROM stdin;
ALTER TABLE t OWNER TO row;
\.
ALTER LARGE OBJECT 7 OWNER TO owner3;
`
	const want = `"Granted É" "Owner \"2\"" "default1" "default2" "granted1" "mapped1" "owner1" "owner3" "policy1" "policy2" "revoked1" "session1" "setting1"`
	var out bytes.Buffer
	if err := Roles(&out, strings.NewReader(text)); err != nil || strings.Join(strings.Fields(strings.ReplaceAll(out.String(), "\n", " ")), " ") != want {
		t.Errorf("%v\n%s", err, out.String())
	}
	// In another encoding a name may look like another one.
	out.Reset()
	if err := Roles(&out, strings.NewReader(strings.Replace(text, "UTF8", "LATIN1", 1))); err != nil || strings.Contains(out.String(), "Granted") || !strings.Contains(out.String(), "granted1") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
