"""Dumps in files, by programs of Debian's, of its own server and of a newer one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph_test_daemon.postgres import (
    Database,
    DatabaseError,
    dump_database,
    dumps,
    load_database,
)
from tests.requirements import debians_postgres

from .conftest import running_postgres


@pytest.fixture(scope="module")
def debians_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's server, for whose version there are programs."""
    directory = debians_postgres()
    with running_postgres(tmp_path_factory.mktemp("debian"), "--server", str(directory)) as url:
        yield url


async def test_a_dump_takes_the_place_of_a_database(debians_url: str, tmp_path: Path) -> None:
    server = Database(debians_url)
    await server.create_role("owner")
    await server.reset("shop")
    await server.give("shop", "owner")
    await server.execute("CREATE TABLE t AS SELECT generate_series(1, 10)", database="shop")
    file = tmp_path / "shop.dump"
    assert await dump_database(server, "shop", file) == file.stat().st_size > 100
    await server.execute("DROP TABLE t; CREATE TABLE u (a int)", database="shop")
    await load_database(server, "shop", file)
    assert await server.table_counts("shop") == {"public.t": 10}
    assert await server.owner("shop") == "owner"
    await server.drop("shop")
    await load_database(server, "shop", file)
    assert await server.table_counts("shop") == {"public.t": 10}
    assert os.listdir(tmp_path) == ["shop.dump"]
    await server.drop("shop")
    await server.execute('DROP ROLE "owner"')


async def test_a_file_that_is_no_dump_leaves_the_database(debians_url: str, tmp_path: Path) -> None:
    server = Database(debians_url)
    await server.reset("shop")
    await server.execute("CREATE TABLE t (a int)", database="shop")
    (tmp_path / "no.dump").write_text("no dump")
    with pytest.raises(DatabaseError, match='load the database "shop"'):
        await load_database(server, "shop", tmp_path / "no.dump")
    assert await server.table_counts("shop") == {"public.t": 0}
    assert {info.name for info in await server.databases()} == {"postgres", "shop"}
    with pytest.raises(DatabaseError, match="there is no file"):
        await load_database(server, "shop", tmp_path / "nowhere")
    with pytest.raises(DatabaseError, match='dump the database "nowhere"'):
        await dump_database(server, "nowhere", tmp_path / "x")
    await server.drop("shop")


async def test_a_program_that_is_too_old_is_named(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dumps, "_DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6'\n")
    program.chmod(0o755)
    server = Database(postgres_url)
    with pytest.raises(DatabaseError, match="there is none for PostgreSQL") as caught:
        await dump_database(server, "postgres", tmp_path / "x")
    assert f"{program} is 9" in str(caught.value)
    assert "postgresql-client-" in str(caught.value.hint)
