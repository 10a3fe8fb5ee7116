"""`harness status`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.errors import ServiceNotFound

STACK = """\
name: shop
services:
  web:
    type: process
    command: [web]
    depends_on: [db]
  db:
    type: process
    command: [db]
tasks:
  seed:
    type: process
    command: [seed]
"""


@pytest.fixture
def statuses(cli: Any, make_unit: Any) -> list[dict[str, Any]]:
    started = (datetime.now(UTC) - timedelta(minutes=2, seconds=11)).isoformat()
    url = {"host": "127.0.0.1", "port": 40211, "url": "http://127.0.0.1:40211"}
    units = [
        make_unit("chain", health="healthy", started_at=started, endpoints={"rpc": url}),
        make_unit(
            "follower",
            state="backoff",
            ready=False,
            pid=None,
            restarts=3,
            message="exit status 3",
            next_try_at=(datetime.now(UTC) + timedelta(seconds=30.4)).isoformat(),
        ),
        make_unit("seed", kind="task", state="exited", ready=True, pid=None, exit_code=0),
    ]
    cli.client.answers["services.status"] = {"project": "shop", "services": units}
    return units


def test_status_is_a_table_in_file_order_without_boxes(cli: Any, statuses: Any) -> None:
    result = cli("status")
    message = "next try in 30 s; exit status 3 (harness why follower)"
    url = "rpc http://127.0.0.1:40211"
    assert result.stdout.splitlines() == [
        "SERVICE   STATE      HEALTH   UP      PID   RESTARTS  ENDPOINTS                   MESSAGE",
        f"chain     running    healthy  2m 11s  4711  0         {url}  -",
        f"follower  backoff    -        -       -     3         {'-'.ljust(len(url))}  {message}",
        "seed      completed  -        -       -     -         -                           -",
    ]


def test_status_exits_with_3_when_a_service_is_not_ready(cli: Any, statuses: Any) -> None:
    assert cli("status").exit_code == 3
    assert cli("status", "chain", "seed").exit_code == 0


def test_status_exits_with_3_when_a_task_failed(cli: Any, make_unit: Any) -> None:
    seed = make_unit("seed", kind="task", state="failed", ready=False, exit_code=1)
    cli.client.answers["services.status"] = {"project": "shop", "services": [seed]}
    assert cli("status").exit_code == 3


def test_a_service_that_was_stopped_on_purpose_is_no_failure_unless_all_are(
    cli: Any, make_unit: Any
) -> None:
    stopped = make_unit("db", state="stopped", ready=False, goal="down")
    services = [stopped, make_unit("web")]
    cli.client.answers["services.status"] = {"project": "shop", "services": services}
    assert cli("status").exit_code == 0
    services[1] = {**stopped, "name": "web"}
    assert cli("status").exit_code == 3


def test_status_as_json_is_the_answer_unchanged(cli: Any, statuses: Any) -> None:
    result = cli("status", "--json")
    assert json.loads(result.stdout) == {"project": "shop", "services": statuses}
    assert result.stderr == ""


def test_status_of_an_unknown_service_exits_with_4_and_a_suggestion(
    cli: Any, statuses: Any
) -> None:
    result = cli("status", "chian")
    assert result.exit_code == 4
    assert 'hint: did you mean "chain"?' in result.stderr


def test_status_does_not_start_a_daemon(cli: Any, statuses: Any) -> None:
    cli("status")
    assert cli.client.starts == [False]


def test_status_starts_a_daemon_where_one_died_without_a_word(
    cli: Any, statuses: Any, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "daemon.sock").touch()
    cli("status")
    assert cli.client.starts == [True]


@pytest.mark.parametrize("daemon", [True, False])
def test_a_stack_that_is_not_up_is_shown_as_stopped(cli: Any, tmp_path: Path, daemon: bool) -> None:
    (tmp_path / "harness.yaml").write_text(STACK)
    cli.client.running = daemon
    cli.client.answers["projects.resolve"] = {"name": None, "others": []}
    result = cli("status")
    assert result.exit_code == 3
    assert [line.split()[:2] for line in result.stdout.splitlines()[1:]] == [
        ["web", "stopped"],
        ["db", "stopped"],
        ["seed", "stopped"],
    ]
    document = json.loads(cli("status", "--json").stdout)
    assert document["project"] == "shop"
    assert document["services"][0]["depends_on"] == ["db"]


def test_a_project_name_nobody_knows_is_an_error_where_no_file_is(cli: Any) -> None:
    cli.client.answers["projects.resolve"] = {"name": None, "others": []}
    cli.client.answers["services.status"] = ServiceNotFound('cannot find project "nope"')
    assert cli("status", "-p", "nope").exit_code == 4


def test_both_documents_of_status_have_the_same_keys(
    cli: Any, tmp_path: Path, statuses: Any
) -> None:
    live = json.loads(cli("status", "--json").stdout)
    (tmp_path / "harness.yaml").write_text(STACK)
    cli.client.running = False
    local = json.loads(cli("status", "--json").stdout)
    assert local["services"][0].keys() == live["services"][0].keys()


def test_watch_shows_the_status_again_after_an_event(
    cli: Any, make_unit: Any, make_event: Any
) -> None:
    asked = [anyio.Event(), anyio.Event()]
    waiting = iter(asked)

    def status(**_: object) -> dict[str, object]:
        this_time = next(waiting, None)
        if this_time is None:
            raise KeyboardInterrupt
        this_time.set()
        return {"project": "shop", "services": [make_unit("db")]}

    async def happening() -> AsyncIterator[dict[str, object]]:
        for number, shown in enumerate(asked, 8):
            await shown.wait()
            yield make_event(number, "health-changed", unit="db")

    cli.client.answers["services.status"] = status
    cli.client.answers["events.subscribe"] = lambda **_: happening()
    result = cli("status", "--watch", "--json")
    assert result.exit_code == 130
    assert [json.loads(line)["project"] for line in result.stdout.splitlines()] == ["shop"] * 2


def test_colours_are_off_in_a_pipe_and_on_when_asked(cli: Any, statuses: Any) -> None:
    assert "\x1b[" not in cli("status").stdout
    assert "\x1b[32mrunning\x1b[0m" in cli("status", "--color", "always").stdout


def test_status_that_may_not_start_a_daemon_exits_with_5_where_none_runs(
    cli: Any, tmp_path: Path
) -> None:
    (tmp_path / "harness.yaml").write_text(STACK)
    cli.client.running = False
    assert cli("status", "--no-start").exit_code == 5


def test_status_starts_a_daemon_where_records_of_one_are(
    cli: Any, statuses: Any, tmp_path: Path
) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "state.db").touch()
    cli("status")
    assert cli.client.starts == [True]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, int], None]:
    """Make stdout a terminal of so many columns and rows."""

    def make(columns: int, rows: int) -> None:
        monkeypatch.setattr("harness.cli.output.Output.size", lambda _: (columns, rows))

    return make


def test_a_stack_where_all_is_well_has_no_messages(cli: Any, make_unit: Any) -> None:
    services = [make_unit("db", message="restarted on request")]
    cli.client.answers["services.status"] = {"project": "shop", "services": services}
    assert cli("status").stdout.splitlines()[0].split()[-1] == "ENDPOINTS"


def test_a_message_of_several_lines_stays_on_its_row(cli: Any, make_unit: Any) -> None:
    failed = make_unit("db", state="failed", ready=False, message="exit 1\n  no such table")
    cli.client.answers["services.status"] = {"project": "shop", "services": [failed]}
    lines = cli("status").stdout.splitlines()
    assert len(lines) == 2
    assert lines[1].endswith("exit 1 no such table (harness why db)")
    lines = cli("status", "-p", "shop").stdout.splitlines()
    assert lines[1].endswith("exit 1 no such table (harness -p shop why db)")


def test_a_service_that_was_stopped_says_why(cli: Any, make_unit: Any) -> None:
    stopped = make_unit("db", state="stopped", ready=False, goal="down", message="as was asked")
    cli.client.answers["services.status"] = {"project": "shop", "services": [stopped]}
    assert cli("status").stdout.splitlines()[1].endswith("  as was asked")


def test_on_a_terminal_no_line_is_wider_than_it(cli: Any, statuses: Any, terminal: Any) -> None:
    terminal(106, 24)
    lines = cli("status").stdout.splitlines()
    assert max(map(len, lines)) == 106
    assert lines[2].endswith("next try in 30 s; exit …")
    whole = json.loads(cli("status", "--json").stdout)["services"][1]["message"]
    assert whole == "exit status 3"


def test_what_is_wrong_is_named_below_a_table_that_scrolls_off(
    cli: Any, make_unit: Any, terminal: Any
) -> None:
    services = [make_unit(f"s{index}", ready=index not in (3, 150)) for index in range(200)]
    cli.client.answers["services.status"] = {"project": "shop", "services": services}
    assert cli("status").stderr == ""
    terminal(80, 24)
    result = cli("status")
    assert len(result.stdout.splitlines()) == 201
    assert result.stderr == "not as they should be: s3, s150\n"
