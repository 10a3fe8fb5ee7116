"""A PostgreSQL server in a stack: set up, driven by its actions, snapshotted, taken down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.processes import is_alive, kill
from tests.requirements import graph_tool

from .harness_case import HarnessCase

# Several commands and starts of the server each.
pytestmark = pytest.mark.timeout(120)

STACK = """
services:
  db:
    type: process
    service_type: postgres
    command: ["${harness.python}", -m, graph_test_daemon.launch, postgres, --port, "${db.port}",
              --data, "${db.data_dir}"]
    ports: {sql: {port: auto, scheme: postgresql}}
    health_check: {tcp: "${db.port}"}
    stop_signal: SIGINT
    restart: always
    labels: {databases: "graph-node, indexer:agent", roles: "boss:superuser"}
"""


@pytest.fixture
def db(case: HarnessCase) -> HarnessCase:
    """Have a stack with a database up."""
    graph_tool("postgres")
    case.write(STACK)
    case.ok("up", "-q")
    return case


def run(case: HarnessCase, action: str, **parameters: Any) -> Any:
    """Run an action; return its result."""
    lines = case.ok("action", "run", f"db.{action}", "--json", json.dumps(parameters)).splitlines()
    return json.loads(lines[-1])["result"]


def children_of(pid: int) -> list[int]:
    """Return the processes of a server: they hide the marker by writing their titles over it."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def values(case: HarnessCase, sql: str, **more: Any) -> list[Any]:
    return [row[0] for row in run(case, "query", sql=sql, **more)["rows"]]


def test_it_is_set_up_as_its_labels_say(db: HarnessCase) -> None:
    infos = {info["name"]: info for info in run(db, "list-databases")}
    assert {"graph-node", "indexer", "postgres"} == {*infos}
    assert [infos["graph-node"][key] for key in ("encoding", "collate", "ctype", "owner")] == [
        "UTF8", "C", "C", "postgres",
    ]  # fmt: skip
    assert infos["indexer"]["owner"] == "agent"
    roles = {role["name"]: role["superuser"] for role in run(db, "list-roles")}
    assert roles == {"agent": False, "boss": True, "postgres": True}
    for database in ("graph-node", "indexer"):
        found = run(db, "list-extensions", database=database)
        assert {e["name"] for e in found if e["installed"]} >= {
            "btree_gist", "pg_trgm", "postgres_fdw", "pg_stat_statements",
        }  # fmt: skip
    assert db.unit("db")["setup"] == "complete"


def test_actions_change_what_is_in_it(db: HarnessCase, tmp_path: Path) -> None:
    (tmp_path / "tables.sql").write_text("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2);")
    assert run(db, "execute", path="tables.sql") == ["CREATE TABLE", "INSERT 0 2"]
    result = run(db, "query", sql="SELECT a, a * 1.5 AS b FROM t WHERE a > $1", parameters=[1])
    assert result["columns"] == [{"name": "a", "type": "int4"}, {"name": "b", "type": "numeric"}]
    assert result["rows"] == [[2, "3.0"]]
    backup = run(db, "backup", name="two rows")
    assert (backup["of"], backup["name"]) == ("graph-node", "two rows")
    run(db, "execute", sql="DELETE FROM t")
    assert run(db, "count-rows") == {"public.t": 0}
    run(db, "restore-backup", name="two rows")
    assert run(db, "count-rows") == {"public.t": 2}
    assert [backup["name"] for backup in run(db, "list-backups")] == ["two rows"]
    run(db, "create-template", name="seeded")
    run(db, "create-database", name="another", template="seeded")
    assert run(db, "count-rows", database="another") == {"public.t": 2}
    run(db, "drop-database", name="another")
    run(db, "reset")
    assert run(db, "count-rows") == {}
    assert values(db, "SELECT extname FROM pg_extension WHERE extname = 'pg_trgm'") == ["pg_trgm"]
    run(db, "reset", template="seeded")
    assert run(db, "count-rows") == {"public.t": 2}
    run(db, "remove-backup", name="two rows")
    assert run(db, "list-backups") == []
    kinds = db.ok("events", "--since", "0", "--json")
    for kind in ("database-created", "database-dropped", "backup-taken", "backup-restored"):
        assert kind in kinds


WRONG = (
    (["query", "--sql", "SELECT nothing"], 'column "nothing" does not exist at character 8'),
    (["query", "--sql", "SELECT 1", "--database", "graph-nod"], 'did you mean "graph-node"?'),
    (["restore-backup", "--name", "first"], "there is none of that name"),
    (["execute"], "give either sql or a path"),
    (["execute", "--path", "nowhere.sql"], "nowhere.sql"),
    (["load", "--path", "nowhere.dump"], "there is no file"),
    (["create-extension", "--name", "postgis"], 'extension "postgis" is not available'),
)


def test_what_goes_wrong_is_said(db: HarnessCase) -> None:
    for words, said in WRONG:
        done = db("action", "run", f"db.{words[0]}", *words[1:])
        assert done.returncode == 1, done.stdout
        assert said in done.stderr
        assert "Traceback" not in done.stderr


def test_snapshots_are_copies_that_go_with_them(db: HarnessCase) -> None:
    def copies() -> int:
        (count,) = values(db, "SELECT count(*) FROM pg_database WHERE datname LIKE 'copy-%'")
        return int(count)

    run(db, "execute", sql="CREATE TABLE t AS SELECT 1 AS a")
    db.ok("snapshot", "create", "first")
    assert copies() == 2
    run(db, "execute", sql="INSERT INTO t VALUES (2)")
    run(db, "execute", sql="CREATE TABLE u (a int)", database="indexer")
    db.ok("snapshot", "create", "second")
    assert copies() == 4
    db.ok("snapshot", "restore", "first")
    assert values(db, "SELECT a FROM t") == [1]
    assert run(db, "count-rows", database="indexer") == {}
    db.ok("snapshot", "restore", "second")
    assert values(db, "SELECT a FROM t") == [1, 2]
    db.ok("snapshot", "remove", "first")
    db.ok("snapshot", "restore", "second")
    assert copies() == 2
    assert {info["name"] for info in run(db, "list-databases")} == {
        "graph-node", "indexer", "postgres",
    }  # fmt: skip


def test_data_stays_over_restarts_and_down_leaves_nothing(db: HarnessCase) -> None:
    run(db, "execute", sql="CREATE TABLE t AS SELECT 1 AS a")
    db.ok("restart", "-q")
    assert values(db, "SELECT a FROM t") == [1]
    pid = db.unit("db")["pid"]
    db.kill_daemon()
    assert values(db, "SELECT a FROM t") == [1]
    assert db.unit("db")["pid"] == pid
    family = [pid, *children_of(pid)]
    assert len(family) > 3
    db.ok("down")
    assert db.processes() == []
    assert [left for left in family if is_alive(left)] == []
    assert b"database system is shut down" in db.logs("db")
    db.ok("up", "-q")
    assert values(db, "SELECT a FROM t") == [1]
    db.ok("down", "--volumes")
    assert db.processes() == []
    db.ok("up", "-q")
    assert run(db, "count-rows") == {}


def test_a_server_that_is_killed_comes_up_again_with_its_data(db: HarnessCase) -> None:
    run(db, "execute", sql="CREATE TABLE t AS SELECT 1 AS a")
    pid = db.unit("db")["pid"]
    family = children_of(pid)
    kill(pid)
    db.ok("wait", "db", "--timeout", "30s")
    assert db.unit("db")["pid"] != pid
    assert [left for left in family if is_alive(left)] == []
    assert values(db, "SELECT a FROM t") == [1]


def test_an_external_server_has_the_same_actions(db: HarnessCase, tmp_path: Path) -> None:
    port = db.unit("db")["endpoints"]["sql"]["port"]
    (tmp_path / "external.yaml").write_text(
        f"name: {db.project}x\n"
        "services:\n"
        "  db:\n"
        "    type: external\n"
        "    service_type: postgres\n"
        "    host: 127.0.0.1\n"
        f"    ports: {{sql: {{port: {port}, scheme: postgresql}}}}\n"
        "    labels: {databases: theirs, user: boss}\n"
    )
    other = ("-f", "external.yaml")
    db.ok(*other, "up", "-q")
    said = db.ok(
        *other, "action", "run", "db.query", "--sql", "SELECT current_user::text", "--json"
    )
    assert json.loads(said)["result"]["rows"] == [["boss"]]
    db.ok(*other, "snapshot", "create", "first")
    db.ok(*other, "snapshot", "restore", "first")
    assert "theirs" in {info["name"] for info in run(db, "list-databases")}
    db.ok(*other, "down")
