"""The board of an operation, as lines and as it is painted on a terminal."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from harness.cli.facts import fact, progress_fact
from harness.cli.options import GlobalOptions
from harness.cli.output import Output
from harness.cli.progress import Board, picture, unit_table
from harness.explanations import waiting_line


@pytest.fixture
def board(make_event: Any) -> Board:
    board = Board({"id": "op-1", "project": "shop", "after": 7})
    board.take(make_event(8, "operation-started", id="op-1", units=["chain", "seed", "follower"]))
    return board


@pytest.fixture
def client(cli: Any, make_unit: Any) -> Any:
    address = {"host": "127.0.0.1", "port": 1, "url": "http://127.0.0.1:1"}
    cli.client.answers["services.status"] = {
        "project": "shop",
        "services": [
            make_unit("chain", endpoints={"rpc": address}),
            make_unit("other", state="stopped", ready=False),
            make_unit("follower", ready=False, health="starting"),
            make_unit("seed", kind="task", state="failed", ready=False, message="exit 2"),
        ],
    }
    cli.client.answers["services.why"] = {
        "needs": [{"unit": "chain", "condition": "healthy", "met": True, "state": "running"}],
        "probe": {
            "stage": "http",
            "check": "http GET http://x/",
            "tries": 7,
            "message": "connection refused",
        },
        "summary": "",
    }
    return cli.client


async def test_the_board_shows_the_operations_units_in_file_order(board: Any, client: Any) -> None:
    await board.refresh(client)
    assert [unit["name"] for unit in board.touched()] == ["chain", "follower", "seed"]


async def test_a_waiting_unit_says_what_it_waits_for(board: Any, client: Any) -> None:
    await board.refresh(client)
    await board.explain(client)
    rows = {row[0]: row for row in map(board.row, board.touched())}
    assert rows["follower"][1].text == "waiting"
    assert rows["follower"][3] == (
        "for chain → healthy ✓, own probe http: http GET http://x/: connection refused (7 tries)"
    )
    assert rows["seed"][3] == "exit 2"
    assert [call["unit"] for call in client.calls_of("services.why")] == ["follower"]


async def test_a_unit_shows_how_far_it_is_until_it_is_something_else(
    board: Any, client: Any, make_event: Any
) -> None:
    await board.refresh(client)
    data = {"message": "linking", "done": 2.0, "total": 4.0}
    told = {"action": "execute", "name": "progress", "data": data}
    board.take(make_event(9, "action-event", unit="follower", **told))
    rows = {row[0]: row for row in map(board.row, board.touched())}
    assert rows["follower"][3] == "linking (2 of 4)"
    board.take(make_event(10, "unit-state-changed", unit="follower", new="backoff"))
    rows = {row[0]: row for row in map(board.row, board.touched())}
    assert rows["follower"][3] == ""


async def test_a_unit_that_failed_says_why_and_not_what_it_waited_for(
    board: Any, client: Any
) -> None:
    await board.refresh(client)
    await board.explain(client)
    follower = next(unit for unit in board.touched() if unit["name"] == "follower")
    failed = {**follower, "state": "failed", "message": "exit status 2"}
    assert board.row(failed)[3] == "exit status 2"


def test_a_check_that_does_not_try_has_no_tries() -> None:
    message = "no match for /up/ in 3 lines of output"
    probe = {"stage": "ready", "check": "log /up/", "tries": 0, "message": message}
    assert waiting_line({"needs": [], "probe": probe}) == (
        "own probe log: no match for /up/ in 3 lines of output"
    )


def test_a_check_that_was_never_tried_has_not_passed() -> None:
    probe = {"stage": "ready", "check": "tcp :1", "tries": 0, "message": None}
    assert waiting_line({"needs": [], "probe": probe}) == "own probe tcp :1: has not passed"


async def test_the_time_of_a_ready_unit_counts_from_the_operations_begin(
    board: Any, client: Any, make_event: Any
) -> None:
    board.take(make_event(10, "unit-state-changed", unit="chain", new="running"))
    board.take(make_event(30, "probe-finished", unit="chain", ok=True))
    await board.refresh(client)
    line = unit_table(Output(GlobalOptions()), board)[0]
    assert line.split() == ["chain", "ready", "2.0", "s", "http://127.0.0.1:1"]


async def test_the_picture_fits_the_terminal_and_has_no_boxes(board: Any, client: Any) -> None:
    await board.refresh(client)
    await board.explain(client)
    screen = StringIO()
    Console(file=screen, width=60).print(picture(board))
    lines = screen.getvalue().splitlines()
    assert len(lines) == 3
    assert all(len(line) <= 60 for line in lines)
    assert lines[1].split()[:2] == ["follower", "waiting"]
    assert "…" in lines[1]


def test_the_end_of_another_operation_is_not_the_end_of_this_one(
    board: Any, make_event: Any
) -> None:
    board.take(make_event(9, "operation-finished", id="op-2"))
    assert not board.over
    board.take(make_event(10, "operation-finished", id="op-1"))
    assert board.over


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        (
            "unit-state-changed",
            {"new": "backoff", "exit": "exit status 3", "reason": "it ended", "attempt": 2},
            "backoff (exit status 3, it ended, attempt 2)",
        ),
        ("unit-state-changed", {"new": "starting", "pid": None}, "starting"),
        ("health-changed", {"new": "unhealthy", "message": "no"}, "unhealthy: no"),
        ("stage-reached", {"stage": "synced", "after_s": 0.25}, "reached synced after 0.25 s"),
        (
            "probe-finished",
            {"stage": "ready", "ok": False, "latency_ms": 3.2, "message": "no"},
            "probe ready failed in 3 ms: no",
        ),
        ("hook-finished", {"moment": "stop", "ok": False, "message": "no"}, "hook stop failed: no"),
        ("task-completed", {"skipped": True}, "skipped, it was completed before"),
        ("survivor-found", {"pid": 4, "command": ""}, "survivor found (pid=4)"),
        ("gap", {"first": 1, "last": 2}, "events 1 to 2 were not delivered"),
        ("operation-finished", {"id": "o", "verb": "up", "outcome": "failed"}, "up failed (o)"),
        ("from-the-future", {}, "from the future"),
    ],
)  # fmt: skip
def test_every_event_has_words(make_event: Any, kind: str, data: Any, text: str) -> None:
    assert fact(make_event(1, kind, unit="db", **data)) == text


def test_details_are_progress_only_when_wanted(make_event: Any) -> None:
    event = make_event(1, "probe-finished", unit="db", stage="ready", ok=True, latency_ms=1)
    assert progress_fact(event) is None
    assert progress_fact(event, verbose=True) == "db: probe ready passed in 1 ms"
    assert progress_fact(make_event(2, "daemon-started"), verbose=True) is None
