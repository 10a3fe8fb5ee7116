"""`harness status`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import anyio
import pytest

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
def statuses(cli, make_unit):
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
            message="next try in 1.6 s; exit 3 (harness why follower)",
        ),
        make_unit("seed", kind="task", state="exited", ready=True, pid=None, exit_code=0),
    ]
    cli.client.answers["services.status"] = {"project": "shop", "services": units}
    return units


def test_status_is_a_table_in_file_order_without_boxes(cli, statuses) -> None:
    result = cli("status")
    assert result.stdout.splitlines() == [
        "SERVICE   STATE      HEALTH   UP      PID   RESTARTS  ENDPOINTS",
        "chain     running    healthy  2m 11s  4711  0         rpc http://127.0.0.1:40211",
        "follower  backoff    -        -       -     3         "
        "next try in 1.6 s; exit 3 (harness why follower)",
        "seed      completed  -        -       -     -         -",
    ]


def test_status_exits_with_3_when_a_service_is_not_ready(cli, statuses) -> None:
    assert cli("status").exit_code == 3
    assert cli("status", "chain", "seed").exit_code == 0


def test_status_exits_with_3_when_a_task_failed(cli, make_unit) -> None:
    seed = make_unit("seed", kind="task", state="failed", ready=False, exit_code=1)
    cli.client.answers["services.status"] = {"project": "shop", "services": [seed]}
    assert cli("status").exit_code == 3


def test_status_as_json_is_the_answer_unchanged(cli, statuses) -> None:
    result = cli("status", "--json")
    assert json.loads(result.stdout) == {"project": "shop", "services": statuses}
    assert result.stderr == ""


def test_status_of_an_unknown_service_exits_with_4_and_a_suggestion(cli, statuses) -> None:
    result = cli("status", "chian")
    assert result.exit_code == 4
    assert 'hint: did you mean "chain"?' in result.stderr


def test_status_does_not_start_a_daemon(cli, statuses) -> None:
    cli("status")
    assert cli.client.starts == [False]


@pytest.mark.parametrize("daemon", [True, False])
def test_a_stack_that_is_not_up_is_shown_as_stopped(cli, tmp_path, daemon) -> None:
    (tmp_path / "harness.yaml").write_text(STACK)
    cli.client.running = daemon
    cli.client.answers["projects.resolve"] = None
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


def test_both_documents_of_status_have_the_same_keys(cli, tmp_path, statuses) -> None:
    live = json.loads(cli("status", "--json").stdout)
    (tmp_path / "harness.yaml").write_text(STACK)
    cli.client.running = False
    local = json.loads(cli("status", "--json").stdout)
    assert local["services"][0].keys() == live["services"][0].keys()


def test_watch_shows_the_status_again_after_an_event(cli, make_unit, make_event) -> None:
    shown: list[anyio.Event] = []

    def status(**_: object) -> dict[str, object]:
        if len(shown) == 2:
            raise KeyboardInterrupt
        shown.append(first)
        first.set()
        return {"project": "shop", "services": [make_unit("db")]}

    async def happening() -> AsyncIterator[dict[str, object]]:
        for number in (8, 9):
            await first.wait()
            await anyio.wait_all_tasks_blocked()
            yield make_event(number, "health-changed", unit="db")

    first = anyio.Event()
    cli.client.answers["services.status"] = status
    cli.client.answers["events.subscribe"] = lambda **_: happening()
    result = cli("status", "--watch", "--json")
    assert result.exit_code == 130
    assert [json.loads(line)["project"] for line in result.stdout.splitlines()] == ["shop"] * 2


def test_colours_are_off_in_a_pipe_and_on_when_asked(cli, statuses) -> None:
    assert "\x1b[" not in cli("status").stdout
    assert "\x1b[32mrunning\x1b[0m" in cli("status", "--color", "always").stdout
