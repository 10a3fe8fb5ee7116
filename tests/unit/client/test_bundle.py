"""What a bundle holds, and how its page shows it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest

from harness.client import BundleWindow, Client, bundle_page, gather_project
from harness.client.bundle import _LogWindow
from harness.client.page import printable
from harness.errors import DaemonUnavailable
from tests.unit.daemon.test_methods import daemon

AT = "2026-01-31T12:00:00.123456+00:00"


def chunk(text: str, *, unit: str = "web", at: str = AT) -> dict[str, Any]:
    return {"unit": unit, "stream": "stdout", "at": at, "text": text}


def window(*, lines: int = 10, most_bytes: int = 10_000) -> _LogWindow:
    return _LogWindow(["web", "db"], lines=lines, most_bytes=most_bytes)


def test_the_newest_lines_of_each_unit_are_kept():
    kept = window(lines=2)
    kept.take(chunk("1\n2\n3\n"))
    kept.take(chunk("a\n", unit="db"))
    assert [line["text"] for line in kept.lines()] == ["2", "3", "a"]
    assert kept.lost == {"web": 1}


def test_megabytes_of_output_are_bounded_for_each_unit():
    kept = window(lines=100_000, most_bytes=200_000)
    for number in range(50):
        kept.take(chunk(f"{number:08d}" * 1_000 + "\n"))
    kept.take(chunk("said by the other\n", unit="db"))
    lines = kept.lines()
    assert sum(len(line["text"]) for line in lines) <= 200_000
    assert lines[-1]["text"] == "said by the other"
    assert kept.lost["web"] + len(lines) - 1 == 50


def test_a_line_without_end_is_cut_and_says_how_long_it_was():
    kept = window()
    kept.take(chunk("x" * 1_000_000))
    (line,) = kept.lines()
    assert len(line["text"]) < 10_000
    assert line["text"].endswith("… (1000000 characters)")


def test_output_of_units_is_in_order_of_time():
    kept = window()
    kept.take(chunk("late\n", at="2026-01-31T12:00:02+00:00"))
    kept.take(chunk("early\n", unit="db", at="2026-01-31T12:00:01+00:00"))
    assert [line["text"] for line in kept.lines()] == ["early", "late"]


def test_lines_of_a_unit_stay_in_their_order_when_the_clock_is_set_back():
    kept = window(lines=100)
    for text, clock in (("old", "11:00"), ("1", "12:00"), ("2", "11:30"), ("3", "12:10")):
        kept.take(chunk(f"{text}\n", at=f"2026-01-31T{clock}:00+00:00"))
    kept.take(chunk("a\n", unit="db", at="2026-01-31T12:05:00+00:00"))
    kept.begin_at(datetime(2026, 1, 31, 11, 45, tzinfo=UTC), before=0)
    assert [line["text"] for line in kept.lines()] == ["1", "2", "a", "3"]


def test_the_last_lines_before_the_window_are_kept():
    kept = window(lines=100)
    for second in range(50):
        kept.take(chunk(f"{second}\n", at=f"2026-01-31T12:00:{second:02d}+00:00"))
    kept.take(chunk("a\n", unit="db", at="2026-01-31T11:00:00+00:00"))
    kept.begin_at(datetime(2026, 1, 31, 12, 0, 40, tzinfo=UTC), before=30)
    texts = [line["text"] for line in kept.lines()]
    assert texts == ["a", *map(str, range(10, 50))]


def test_lines_are_lost_only_where_the_window_is_not_full():
    kept = window(lines=2)
    kept.take(chunk("1\n2\n3\n", at="2026-01-31T12:00:01+00:00"))
    kept.take(chunk("1\n2\n3\n", unit="db", at="2026-01-31T12:00:05+00:00"))
    kept.begin_at(datetime(2026, 1, 31, 12, 0, 3, tzinfo=UTC), before=30)
    assert kept.lost == {"db": 1}


async def test_what_cannot_be_had_is_told_and_hides_nothing_else():
    async def broken(**_: Any) -> Any:
        raise DaemonUnavailable("cannot go on: the daemon has gone")

    async def nothing(**_: Any) -> list[Any]:
        return []

    async def status(**_: Any) -> dict[str, Any]:
        return {"last_event": 3}

    client = SimpleNamespace(
        services=SimpleNamespace(status=broken, top=broken),
        health=SimpleNamespace(list=nothing),
        daemon=SimpleNamespace(status=status),
        events=SimpleNamespace(list=nothing),
    )
    found = await gather_project(cast("Client", client), "shop", window=BundleWindow())
    assert [problem["part"] for problem in found["problems"]] == ["services", "processes"]
    assert "the daemon has gone" in found["problems"][0]["problem"]
    assert (found["services"], found["events"]) == ([], [])


async def test_what_takes_too_long_is_left_out():
    async def status(**_: Any) -> dict[str, Any]:
        return {"last_event": 0, "services": []}

    async def for_ever(**_: Any) -> Any:
        await anyio.sleep_forever()

    client = SimpleNamespace(
        services=SimpleNamespace(status=status, top=for_ever),
        health=SimpleNamespace(list=status),
        daemon=SimpleNamespace(status=status),
        events=SimpleNamespace(list=for_ever),
    )
    window = BundleWindow(within_s=0.05)
    with anyio.fail_after(10):
        found = await gather_project(cast("Client", client), "shop", window=window)
    problems = {problem["part"]: problem["problem"] for problem in found["problems"]}
    assert problems["processes"] == "it could not be had in time"
    assert "services" not in problems


@pytest.mark.parametrize("since_number", [None, 60])
async def test_events_begin_a_little_before_the_window(since_number: int | None):
    events = [
        {"number": n, "at": datetime.fromtimestamp(n, UTC).isoformat()} for n in range(1, 101)
    ]

    async def listed(**_: Any) -> list[Any]:
        return events

    async def status(**_: Any) -> dict[str, Any]:
        return {"last_event": 100, "services": []}

    async def nothing(**_: Any) -> list[Any]:
        return []

    client = SimpleNamespace(
        services=SimpleNamespace(status=status, top=nothing),
        health=SimpleNamespace(list=nothing),
        daemon=SimpleNamespace(status=status),
        events=SimpleNamespace(list=listed),
    )
    since = None if since_number is None else datetime.fromtimestamp(since_number, UTC)
    found = await gather_project(
        cast("Client", client), "shop", window=BundleWindow(since=since, events=1_000)
    )
    assert found["events"][0]["number"] == (1 if since is None else 10)
    assert found["events"][-1]["number"] == 100


# ── the page ─────────────────────────────────────────────────────────────────────────────────────

EVIL = '<script>alert("x")</script>&<img src=x onerror=y>'


def process(pid: int, parent: int, command: str) -> dict[str, Any]:
    return {"pid": pid, "parent": parent, "command": command, "rss_bytes": 2**20, "cpu_s": 0.5}


def document() -> dict[str, Any]:
    unit = {
        "name": EVIL, "state": "failed", "health": EVIL, "pid": None, "exit_code": 3,
        "restarts": 0, "ready": False,
        "endpoints": {"http": {"url": f"http://127.0.0.1/{EVIL}", "host": "h", "port": 1}},
    }  # fmt: skip
    why = {
        "summary": EVIL, "since": None, "last_output": [EVIL], "needs": [], "probe": None,
        "next": None, "causes": [],
    }  # fmt: skip
    return {
        "made_at": AT,
        "test": {
            "id": EVIL,
            "phase": "call",
            "started_at": AT,
            "traceback": EVIL,
            "sections": [[EVIL, EVIL]],
        },
        "versions": {"harness": EVIL},
        "daemon_log": [EVIL],
        "projects": [
            {
                "project": EVIL,
                "problems": [{"part": EVIL, "problem": EVIL}],
                "services": [unit],
                "why": {"a": why},
                "logs": [{"at": AT, "unit": EVIL, "stream": "stderr", "text": EVIL}],
                "lost": {EVIL: 3},
                "events": [{"at": AT, "kind": "x", "unit": None, "data": {"message": EVIL}}],
                "health": [{"unit": EVIL}],
                "processes": {EVIL: {"tree": [process(7, 1, EVIL)], "handle": {"data": EVIL}}},
                "plan": {EVIL: {"command": [EVIL]}},
                "environment": {EVIL: {EVIL: EVIL}},
            }
        ],
    }


async def test_of_many_events_only_the_last_are_asked_for():
    asked: list[int] = []

    async def listed(*, after: int, **_: Any) -> list[Any]:
        asked.append(after)
        return []

    async def status(**_: Any) -> dict[str, Any]:
        return {"last_event": 100_000, "services": []}

    async def nothing(**_: Any) -> list[Any]:
        return []

    client = SimpleNamespace(
        services=SimpleNamespace(status=status, top=nothing),
        health=SimpleNamespace(list=nothing),
        daemon=SimpleNamespace(status=status),
        events=SimpleNamespace(list=listed),
    )
    await gather_project(cast("Client", client), "shop", window=BundleWindow(events=10))
    assert asked == [99_900]


_STACK = """
name: shop
services:
  good: {type: fake}
tasks:
  talks: {type: process, command: [seq, "5"]}
  fails: {type: process, command: [sh, -c, "exit 3"]}
"""


@pytest.mark.usefixtures("swept")
async def test_why_is_told_of_what_is_not_ready_and_that_lines_were_left_out(tmp_path: Path):
    async with daemon(tmp_path, _STACK) as (client, source):
        begun = await client.services.up(source=source, keep_going=True)
        await client.operations.wait(id=begun["id"])
        found = await gather_project(client, "shop", window=BundleWindow(lines=3))
        assert found["problems"] == []
        assert "fails" in found["why"]
        assert "good" not in found["why"]
        lines = [line["text"] for line in found["logs"] if line["unit"] == "talks"]
        assert lines == ["3", "4", "5"]
        assert found["lost"]["talks"] >= 1


def test_nothing_on_the_page_is_more_than_text():
    page = bundle_page(document())
    assert page.count("<script>") == 1
    assert not re.search(r"<img|<link|<iframe|\bsrc=(?!x)|\bhref=|@import|url\(", page)
    assert page.count("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;") >= 15
    assert "default-src 'none'" in page
    assert "(earlier lines are left out)" in page


def test_processes_are_shown_as_a_tree():
    shown = document()
    tree = [process(9, 1, "main"), process(3, 9, "a"), process(4, 9, "b"), process(5, 3, "c")]
    shown["projects"][0]["processes"] = {"web": {"tree": tree}, "db": {"name": "db"}}
    page = bundle_page(shown)
    rows = re.findall(r'padding-left: ([\d.]+)rem">(\w+)</tr>', page)
    assert rows == [("0.0", "main"), ("1.5", "a"), ("3.0", "c"), ("1.5", "b")]
    assert "Processes, 4" in page


def test_a_page_without_a_test_is_named_after_its_project():
    page = bundle_page({**document(), "test": None})
    assert "failed in" not in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("bell\x07 \udcff \x85", "bell\ufffd \ufffd \ufffd"),
    ],
)
def test_terminal_escapes_and_unseen_characters_do_not_reach_a_page(text: str, shown: str):
    assert printable(text) == shown
    printable(text).encode("utf-8")
