"""Records in a file: kept whatever becomes of the process, the file and its readers."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import pytest

from graph_test_daemon.tracking import BlockAt, GraftChain, Journal, Note, Transaction
from graph_test_daemon.tracking.database import KEPT, Records
from graph_test_daemon.tracking.errors import JournalError, JournalTooNew
from tests.journal_writer import write_pair

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


@asynccontextmanager
async def journal(directory: Path, **kept: int) -> AsyncIterator[Journal]:
    limits = dict(KEPT) | ({Transaction: kept["transactions"]} if kept else {})
    opened = Journal(directory / "tracking", now=lambda: NOW, kept=limits)
    try:
        yield opened
    finally:
        await opened.aclose()


def sent(number: int, what: str = "Staking.allocate", *, sender: str = "0xa") -> Transaction:
    return Transaction(
        hash=f"0x{number:x}",
        sender=sender,
        to=None,
        what=what,
        block=BlockAt(number=number, hash="0xb"),
        succeeded=True,
        gas_used=10**30,
        recorded_at=NOW,
    )


def put(*records: Transaction | Note | GraftChain) -> Any:
    def change(into: Records) -> None:
        for record in records:
            into.put(record)

    return change


def everything(records: Records) -> list[Any]:
    return [records.all(of) for of in KEPT]


async def test_records_are_kept_when_it_is_opened_again(tmp_path: Path) -> None:
    async with journal(tmp_path) as first:
        await first.do(put(sent(1), sent(2, sender="0xc"), sent(3, "GNS.publish")))
        await first.do(put(sent(1, "again")))
    async with journal(tmp_path) as second:
        assert await second.do(lambda r: r.find(Transaction, "0x2")) == sent(2, sender="0xc")
        assert await second.do(lambda r: r.find(Transaction, "0x9")) is None
        # One that is put again stays where it was.
        assert await second.do(lambda r: r.keys(Transaction)) == ["0x1", "0x2", "0x3"]
        only = await second.do(lambda r: r.all(Transaction, sender="0xa", what="GNS.publish"))
        assert only == [sent(3, "GNS.publish")]
        assert await second.do(lambda r: r.delete(Transaction, "0x2"))
        assert not await second.do(lambda r: r.delete(Transaction, "0x2"))
        await second.do(lambda r: r.put(sent(1), newest=True))
        assert await second.do(lambda r: r.keys(Transaction)) == ["0x3", "0x1"]
    assert (tmp_path / "tracking" / "journal.db").stat().st_mode & 0o777 == 0o600


async def test_what_raises_has_changed_nothing(tmp_path: Path) -> None:
    def change(records: Records) -> None:
        records.put(sent(2))
        raise LookupError("no")

    async with journal(tmp_path) as opened:
        await opened.do(put(sent(1)))
        with pytest.raises(LookupError):
            await opened.do(change)
        assert await opened.do(lambda r: r.keys(Transaction)) == ["0x1"]


async def test_many_may_change_it_at_once(tmp_path: Path) -> None:
    async with journal(tmp_path) as opened, anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(opened.do, write_pair)
    async with journal(tmp_path) as again:
        counts = await again.do(lambda r: [note.count for note in r.all(Note)])
        assert counts == [50, 50]


async def test_only_the_newest_are_kept_and_that_is_noted(tmp_path: Path) -> None:
    async with journal(tmp_path, transactions=3) as opened:
        await opened.do(put(*(sent(n) for n in range(1, 4))))
        assert await opened.do(lambda r: r.all(Note)) == []
        await opened.do(put(sent(4), GraftChain(name="a", deployments=("Qm",), recorded_at=NOW)))
        await opened.do(put(sent(5)))
        assert await opened.do(lambda r: r.keys(Transaction)) == ["0x3", "0x4", "0x5"]
        (note,) = await opened.do(lambda r: r.all(Note))
        assert note.text == "only the newest 3 of the kind transaction are kept"
        assert (note.name, note.count) == ("trimmed-transaction", 2)
        assert await opened.do(lambda r: r.keys(GraftChain)) == ["a"]


async def test_notes_are_bounded_too(tmp_path: Path) -> None:
    def change(records: Records) -> None:
        for number in range(150):
            records.note(str(number), "x")

    async with journal(tmp_path) as opened:
        await opened.do(change)
        assert await opened.do(lambda r: r.keys(Note)) == [str(n) for n in range(50, 150)]


# ── damage ───────────────────────────────────────────────────────────────────────────────────────


async def _filled(directory: Path) -> Path:
    async with journal(directory) as opened:
        await opened.do(put(*(sent(n, "x" * 500) for n in range(1, 100))))
    return directory / "tracking" / "journal.db"


@pytest.mark.parametrize("damage", ["overwritten", "cut", "torn", "other-database"])
async def test_a_damaged_file_is_put_aside_with_a_note(tmp_path: Path, damage: str) -> None:
    path = await _filled(tmp_path)
    raw = path.read_bytes()
    match damage:
        case "overwritten":
            path.write_bytes(b"not a database at all " * 500)
        case "cut":
            path.write_bytes(raw[: len(raw) // 2])
        case "torn":
            path.write_bytes(raw[:8192] + b"\xff" * 4096 + raw[12288:])
        case _:
            path.unlink()
            with closing(sqlite3.connect(path)) as db:
                db.execute("CREATE TABLE other (x)")
    damaged = path.read_bytes()
    async with journal(tmp_path) as opened:
        await opened.do(put(sent(7)))
        assert await opened.do(lambda r: r.keys(Transaction)) == ["0x7"]
        (note,) = await opened.do(lambda r: r.all(Note))
        aside = path.with_name("journal.db.damaged-20260102T030405")
        assert str(aside) in note.text
        assert aside.read_bytes() == damaged


async def test_damage_while_it_is_open_is_found_and_put_aside_too(tmp_path: Path) -> None:
    path = await _filled(tmp_path)
    async with journal(tmp_path) as opened:
        await opened.do(put(sent(1000)))
        with path.open("r+b") as file:
            file.write(b"\xff" * path.stat().st_size)
        with (tmp_path / "tracking" / "journal.db-wal").open("r+b") as file:
            file.truncate(0)
        await opened.do(put(sent(7)))
        assert "0x7" in await opened.do(lambda r: r.keys(Transaction))
        await opened.do(lambda r: r.all(Transaction))
        assert [n.name for n in await opened.do(lambda r: r.all(Note))] == ["damaged"]


async def test_a_file_that_is_taken_away_is_made_again(tmp_path: Path) -> None:
    path = await _filled(tmp_path)
    async with journal(tmp_path) as opened:
        await opened.do(put(sent(1000)))
        shutil.rmtree(path.parent)
        await opened.do(put(sent(7)))
    async with journal(tmp_path) as again:
        assert await again.do(lambda r: r.keys(Transaction)) == ["0x7"]


async def test_files_that_were_put_aside_in_the_same_second_are_all_kept(tmp_path: Path) -> None:
    for _ in range(3):
        path = await _filled(tmp_path)
        path.write_bytes(b"no database" * 100)
    async with journal(tmp_path) as opened:
        await opened.do(everything)
    kept = [p.name for p in path.parent.iterdir() if "damaged" in p.name]
    stem = "journal.db.damaged-20260102T030405"
    assert sorted(kept) == [stem, f"{stem}-2", f"{stem}-3"]


async def test_a_record_that_cannot_be_read_goes_with_a_note(tmp_path: Path) -> None:
    path = await _filled(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE record SET document = '{' WHERE key = '0x1'")
    async with journal(tmp_path) as opened:
        assert len(await opened.do(lambda r: r.all(Transaction))) == 98
        (note,) = await opened.do(lambda r: r.all(Note))
        assert (note.name, note.count) == ("unreadable-transaction", 1)


async def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = await _filled(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    async with journal(tmp_path) as opened:
        with pytest.raises(JournalTooNew, match="layout 99"):
            await opened.do(everything)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*damaged*"))


async def test_a_record_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = await _filled(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("UPDATE record SET document = '{\"version\": 99}' WHERE key = '0x1'")
    async with journal(tmp_path) as opened:
        with pytest.raises(JournalTooNew, match="read a transaction"):
            await opened.do(lambda r: r.all(Transaction))
        assert len(await opened.do(lambda r: r.keys(Transaction))) == 99


async def test_a_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "tracking").write_text("a file")
    async with journal(tmp_path) as opened:
        with pytest.raises(JournalError, match=r"cannot use .*journal\.db: "):
            await opened.do(everything)


async def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path) -> None:
    def fill(records: Records) -> None:
        records._db.execute("PRAGMA max_page_count = 40")
        for number in range(1000, 2000):
            records.put(sent(number, "x" * 500))

    path = await _filled(tmp_path)
    async with journal(tmp_path) as opened:
        with pytest.raises(JournalError, match="full"):
            await opened.do(fill)
        assert len(await opened.do(lambda r: r.keys(Transaction))) == 99
        assert await opened.do(lambda r: r.all(Note)) == []
    assert not list(path.parent.glob("*damaged*"))


# ── as a whole ───────────────────────────────────────────────────────────────────────────────────


async def test_an_export_is_restored_exactly(tmp_path: Path) -> None:
    async with journal(tmp_path) as opened:
        chain = GraftChain(name="ä\u2028\n", deployments=("Qm1", "Qm2"), recorded_at=NOW)
        await opened.do(put(*(sent(n) for n in range(5)), chain))
        await opened.do(lambda r: r.put(sent(2), newest=True))
        before = await opened.do(Records.rows)
        await opened.export_to(tmp_path / "export")
        await opened.do(put(sent(99)))
        await opened.do(lambda r: r.delete(Transaction, "0x1"))
        await opened.import_from(tmp_path / "export")
        assert await opened.do(Records.rows) == before
        await opened.do(put(sent(100)))
        assert (await opened.do(lambda r: r.keys(Transaction)))[-1] == "0x64"
    async with journal(tmp_path / "other") as other:
        await other.import_from(tmp_path / "export")
        assert await other.do(Records.rows) == before


@pytest.mark.parametrize(
    "damage", ["empty", "cut", "key", "kind", "number", "text", "twice", "gone"]
)
async def test_a_damaged_export_is_refused_and_changes_nothing(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "export" / "journal.jsonl"
    async with journal(tmp_path) as opened:
        await opened.do(put(sent(1), sent(2)))
        await opened.export_to(file.parent)
        head, first, second = [json.loads(line) for line in file.read_text().splitlines()]
        lines = {
            "empty": [],
            "cut": [head, first],
            "key": [head, first, [second[0], second[1], "0x3", second[3]]],
            "kind": [head, first, [second[0], "no", *second[2:]]],
            "number": [head, first, [2**70, *second[1:]]],
            "text": [head, first, [*second[:2], "\ud800", second[3].replace("0x2", "\\ud800")]],
            "twice": [head, first, [99, *first[1:]]],
            "gone": None,
        }[damage]
        if lines is None:
            file.unlink()
        else:
            file.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        with pytest.raises(JournalError):
            await opened.import_from(file.parent)
        assert await opened.do(lambda r: r.keys(Transaction)) == ["0x1", "0x2"]
        assert await opened.do(lambda r: r.all(Note)) == []


async def test_an_export_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    async with journal(tmp_path) as opened:
        (tmp_path / "journal.jsonl").write_text('{"version": 9}\n')
        with pytest.raises(JournalTooNew):
            await opened.import_from(tmp_path)


# ── a process that is killed ─────────────────────────────────────────────────────────────────────
