"""Databases of a real server."""

from __future__ import annotations

import math
import os
import secrets
import signal
import socket

import anyio
import pytest

from graph_test_daemon.errors import Unreachable
from graph_test_daemon.postgres import (
    Copies,
    Database,
    DatabaseError,
    DatabaseInUse,
    DatabaseMissing,
)
from graph_test_daemon.postgres.connection import identifier


@pytest.fixture
def server(postgres_url: str) -> Database:
    return Database(postgres_url)


@pytest.fixture
def name() -> str:
    return f'odd "name" {secrets.token_hex(4)}'


async def test_rows_have_types_and_are_json(server: Database) -> None:
    result = await server.query(
        "SELECT 1 AS a, 1.50::numeric(5,2), '\\xbeef'::bytea AS raw, 'nan'::float8 AS f,"
        " '2026-01-31 09:10:11+00'::timestamptz AS at, ARRAY['x', NULL] AS list,"
        " '{\"k\": [1, 2.5]}'::jsonb AS doc, NULL::int AS none, '10.0.0.0/8'::cidr AS net,"
        " '12:00'::time AS t, int4range(1, 5) AS span, '{1.5}'::numeric[] AS amounts, true AS yes"
    )
    assert [column.name for column in result.columns][:3] == ["a", "numeric", "raw"]
    assert [column.type for column in result.columns][:2] == ["int4", "numeric(5,2)"]
    assert result.columns[5].type == "text[]"
    (row,) = result.rows
    assert row[:4] == (1, "1.50", "0xbeef", "nan")
    assert row[4] == "2026-01-31T09:10:11+00:00"
    assert row[5:] == (
        ["x", None], {"k": [1, 2.5]}, None, "10.0.0.0/8", "12:00:00", "[1, 5)", ["1.5"], True,
    )  # fmt: skip
    assert result.records()[0]["a"] == result.value() == 1
    assert not math.isnan(result.row_count)


async def test_parameters_are_typed_and_never_text_of_the_statement(server: Database) -> None:
    asked = "SELECT $1::int + 1, $2::text, $3::jsonb -> 'k', $4::int[], $5::bool, $6 || '%s'"
    values = [41, "it's; DROP", {"k": [1]}, [1, 2], None, "100 "]
    (row,) = (await server.query(asked, values)).rows
    assert row == (42, "it's; DROP", [1], [1, 2], None, "100 %s")


async def test_more_rows_than_asked_for_are_counted_and_left_out(server: Database) -> None:
    result = await server.query("SELECT generate_series(1, 50)", limit=3)
    assert [row[0] for row in result.rows] == [1, 2, 3]
    assert (result.truncated, result.row_count) == (True, 50)
    whole = await server.query("SELECT generate_series(1, 3)", limit=3)
    assert (whole.truncated, whole.row_count, whole.status) == (False, 3, "SELECT 3")
    empty = await server.query("SELECT 1 AS a WHERE false")
    assert (empty.rows, empty.columns[0].name, empty.value()) == ((), "a", None)


async def test_a_script_is_one_transaction(server: Database, name: str) -> None:
    await server.create(name)
    done = await server.execute(
        "CREATE TABLE t (a int); INSERT INTO t VALUES (1), (2)", database=name
    )
    assert done == ["CREATE TABLE", "INSERT 0 2"]
    with pytest.raises(DatabaseError) as caught:
        await server.execute("INSERT INTO t VALUES (3); SELECT nothing", database=name)
    assert caught.value.sqlstate == "42703"
    assert caught.value.position == 34
    assert "at character 34" in str(caught.value)
    assert await server.table_counts(name) == {"public.t": 2}
    assert await server.execute("", database=name) == []
    changed = await server.query("UPDATE t SET a = a + 1", database=name)
    assert (changed.rows, changed.row_count, changed.status) == ((), 2, "UPDATE 2")


async def test_temporary_tables_of_others_are_not_counted(server: Database, name: str) -> None:
    await server.create(name)
    async with anyio.create_task_group() as group:
        group.start_soon(
            server.on(name).execute, "CREATE TEMP TABLE t (a int); COMMIT; SELECT pg_sleep(60)"
        )
        await _has_sessions(server, name, 1)
        assert await server.table_counts(name) == {}
        group.cancel_scope.cancel()


async def test_two_statements_are_no_query(server: Database) -> None:
    with pytest.raises(DatabaseError, match="multiple commands"):
        await server.query("SELECT $1::int; SELECT 2", [1])
    with pytest.raises(DatabaseError, match="multiple commands"):
        await server.query("SELECT 1; SELECT 2")
    assert (await server.query("SELECT ';'; \n")).value() == ";"


async def test_databases_suit_graph_node(server: Database, name: str) -> None:
    await server.create(name)
    info = next(info for info in await server.databases() if info.name == name)
    assert info.suits_graph_node
    assert (info.owner, info.is_template, info.takes_connections) == ("postgres", False, True)
    assert info.size_bytes > 1_000_000
    assert await server.exists(name)
    with pytest.raises(DatabaseError, match="already exists"):
        await server.create(name)
    await server.drop(name)
    assert not await server.exists(name)
    await server.drop(name, missing_ok=True)


async def test_a_database_that_is_not_there_is_named_with_the_nearest(
    server: Database, name: str
) -> None:
    await server.create(name)
    with pytest.raises(DatabaseMissing) as caught:
        await server.query("SELECT 1", database=name + "x")
    assert caught.value.name == name + "x"
    assert caught.value.hint == f'did you mean "{name}"?'
    with pytest.raises(DatabaseMissing):
        await server.drop("never there")
    with pytest.raises(DatabaseMissing):
        await server.create("from nothing", template="never there")


async def test_sessions_are_in_the_way_unless_they_are_ended(server: Database, name: str) -> None:
    await server.create(name)
    async with anyio.create_task_group() as group:
        group.start_soon(_sleeps, server, name)
        await _has_sessions(server, name, 1)
        with pytest.raises(DatabaseInUse) as caught:
            await server.drop(name, force=False)
        assert (caught.value.name, caught.value.sessions) == (name, 1)
        with pytest.raises(DatabaseInUse):
            await server.create("copied", template=name)
        await server.drop(name)


async def _sleeps(server: Database, name: str) -> None:
    with pytest.raises((DatabaseError, Unreachable)):
        await server.query("SELECT pg_sleep(60)", database=name)


async def _has_sessions(server: Database, name: str, count: int) -> None:
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND state = 'active'"
    with anyio.fail_after(10):
        while (await server.query(asked, [name])).value() != count:  # noqa: ASYNC110 - its own
            await anyio.sleep(0.01)


async def test_a_cancelled_query_ends_on_the_server(server: Database, name: str) -> None:
    await server.create(name)
    async with anyio.create_task_group() as group:
        group.start_soon(server.on(name).query, "SELECT pg_sleep(60)")
        await _has_sessions(server, name, 1)
        group.cancel_scope.cancel()
    await _has_sessions(server, name, 0)


async def test_a_query_whose_server_hangs_is_given_up(server: Database, name: str) -> None:
    await server.create(name)
    asked = "SELECT pid FROM pg_stat_activity WHERE datname = $1"
    async with anyio.create_task_group() as group:
        group.start_soon(server.on(name).query, "SELECT pg_sleep(60)")
        await _has_sessions(server, name, 1)
        pid = (await server.query(asked, [name])).value()
        os.kill(pid, signal.SIGSTOP)
        group.cancel_scope.cancel()
    os.kill(pid, signal.SIGCONT)
    await _has_sessions(server, name, 0)


async def test_a_query_that_takes_too_long_is_ended(server: Database) -> None:
    with pytest.raises(DatabaseError) as caught:
        await server.query("SELECT pg_sleep(60)", timeout_s=0.05)
    assert caught.value.sqlstate == "57014"


async def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server = Database(f"postgresql://me:secret@127.0.0.1:{mute.getsockname()[1]}/x")
        with anyio.move_on_after(0.2) as scope:
            await server.query("SELECT 1")
        assert scope.cancelled_caught
    with pytest.raises(Unreachable) as caught:
        await server.query("SELECT 1")
    assert "secret" not in str(caught.value)


def test_an_address_that_is_none_is_refused_without_its_password() -> None:
    with pytest.raises(DatabaseError) as caught:
        Database("mysql://me:secret@h/x")
    assert "secret" not in str(caught.value)
    assert "secret" not in repr(Database("postgresql://me:secret@h/x").address)


async def test_a_reset_database_is_empty_or_its_template(server: Database, name: str) -> None:
    await server.create_role(owner := f"role {secrets.token_hex(4)}")
    await server.create(name, owner=owner)
    await server.execute("CREATE TABLE t (a int)", database=name)
    template = f"{name} template"
    async with server.closed(name):
        await server.create(template, template=name)
    await server.mark_template(template)
    await server.reset(name)
    assert await server.table_counts(name) == {}
    await server.reset(name, template=template)
    assert await server.table_counts(name) == {"public.t": 0}
    assert await server.owner(name) == owner
    with pytest.raises(DatabaseError, match="takes no connections"):
        await server.query("SELECT 1", database=template)
    await server.drop(template)


async def test_roles_and_extensions(server: Database, name: str) -> None:
    await server.create(name)
    graph_nodes = ("btree_gist", "pg_trgm", "postgres_fdw", "pg_stat_statements")
    await server.create_extensions(*graph_nodes, database=name)
    installed = {e.name for e in await server.extensions(name) if e.installed}
    assert installed >= {"btree_gist", "pg_trgm", "postgres_fdw", "pg_stat_statements"}
    assert (
        await server.query("SELECT count(*) > 0 FROM pg_stat_statements", database=name)
    ).value()
    with pytest.raises(DatabaseError, match="install no_such"):
        await server.create_extensions("no_such", database=name)
    role = f"role {secrets.token_hex(4)}"
    await server.create_role(role, superuser=True, password="it's")
    found = next(r for r in await server.roles() if r.name == role)
    assert (found.superuser, found.login) == (True, True)


async def test_copies_are_put_back_with_their_owner(server: Database, name: str) -> None:
    await server.create_role(owner := f"role {secrets.token_hex(4)}")
    await server.create(name, owner=owner)
    copies = Copies(server, scope=name)
    await server.execute("CREATE TABLE t AS SELECT 1 AS a", database=name)
    made = await copies.take(name, "first")
    await server.execute("INSERT INTO t VALUES (2)", database=name)
    async with anyio.create_task_group() as group:
        group.start_soon(_sleeps, server, name)
        await _has_sessions(server, name, 1)
        with pytest.raises(DatabaseInUse):
            await copies.take(name, "second")
        await copies.take(name, "second", terminate=True)
    assert [copy.name for copy in await copies.taken(name)] == ["first", "second"]
    await copies.put_back(made)
    assert await server.table_counts(name) == {"public.t": 1}
    assert await server.owner(name) == owner
    await copies.put_back((await copies.taken())[1])
    assert await server.table_counts(name) == {"public.t": 2}
    await copies.take(name, "first")
    await copies.put_back((await copies.taken())[1])
    assert await server.table_counts(name) == {"public.t": 2}
    assert await Copies(server, scope="another").taken() == []
    await copies.keep_only(["second"])
    assert [copy.name for copy in await copies.taken()] == ["second"]
    (info,) = [info for info in await server.databases() if info.name == name]
    assert not info.is_copy
    await copies.keep_only([])
    assert [i for i in await server.databases() if i.is_copy and i.owner == owner] == []


async def test_a_closed_database_has_no_sessions_and_opens_again(
    server: Database, name: str
) -> None:
    await server.create(name)
    async with server.closed(name):
        with pytest.raises(DatabaseError, match="takes no connections now"):
            await server.query("SELECT 1", database=name)
    assert (await server.query("SELECT 1", database=name)).value() == 1


def test_names_are_quoted() -> None:
    assert identifier('a"b') == '"a""b"'
