"""Commands that look: logs, events, why, health, top, port, env, inspect, plan, graph, tasks."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest


def chunk(text: str, *, unit: str = "web", stream: str = "stdout") -> dict[str, str]:
    return {
        "subscription": "s1",
        "unit": unit,
        "stream": stream,
        "at": "2026-01-31T12:00:00.123456+00:00",
        "text": text,
    }


@pytest.fixture
def logs(cli: Any, make_unit: Any) -> Callable[..., None]:
    cli.client.answers["services.status"] = {
        "project": "shop",
        "services": [make_unit("web"), make_unit("worker")],
    }

    def script(*chunks: dict[str, str]) -> None:
        cli.client.answers["logs.read"] = list(chunks)

    script()
    return script


def test_logs_put_the_service_before_each_line(cli: Any, logs: Any) -> None:
    logs(chunk("a\nb\n"), chunk("\nc\n", unit="worker"))
    assert cli("logs").stdout == "web    | a\nweb    | b\nworker | \nworker | c\n"


def test_logs_without_prefix_are_the_bytes_the_service_wrote(cli: Any, logs: Any) -> None:
    raw = b"caf\xe9 \xff\x00\r\nno newline"
    logs(chunk(raw.decode("utf-8", "surrogateescape")))
    assert cli("logs", "web", "--no-prefix").stdout_bytes == raw


def test_a_line_in_pieces_gets_one_prefix(cli: Any, logs: Any) -> None:
    logs(chunk("begin"), chunk(" end\nnext\n"))
    assert cli("logs", "web").stdout == "web | begin end\nweb | next\n"


def test_an_open_line_is_ended_before_another_source_goes_on(cli: Any, logs: Any) -> None:
    logs(chunk("wait"), chunk("hi\n", unit="worker"), chunk("last"))
    assert cli("logs").stdout == "web    | wait\nworker | hi\nweb    | last\n"


def test_timestamps_stand_before_the_line(cli: Any, logs: Any) -> None:
    logs(chunk("a\n"))
    line = cli("logs", "web", "--timestamps", "--no-prefix").stdout
    assert line.endswith(".123 a\n")


def test_logs_are_coloured_by_service(cli: Any, logs: Any) -> None:
    logs(chunk("a\n"), chunk("b\n", unit="worker"))
    assert cli("logs", "--color", "always").stdout == (
        "\x1b[36mweb    | \x1b[0ma\n\x1b[33mworker | \x1b[0mb\n"
    )


def test_logs_as_json_are_one_record_a_line(cli: Any, logs: Any) -> None:
    logs(chunk("a\nb\n", stream="stderr"))
    records = [json.loads(line) for line in cli("logs", "--json").stdout.splitlines()]
    assert [(record["stream"], record["text"]) for record in records] == [
        ("stderr", "a"),
        ("stderr", "b"),
    ]


def test_a_line_as_json_ends_at_a_newline_and_nowhere_else(cli: Any, logs: Any) -> None:
    logs(chunk("1 %\r2 %\x0b\u2028\n\nend"))
    records = [json.loads(line) for line in cli("logs", "--json").stdout.split("\n") if line]
    assert [record["text"] for record in records] == ["1 %\r2 %\x0b\u2028", "", "end"]


def test_output_that_was_lost_is_told_on_stderr_even_when_quiet(cli: Any, logs: Any) -> None:
    logs(chunk("begin"), {**chunk("next\n"), "skipped": 1234})
    result = cli("-q", "logs", "web")
    assert result.stdout == "web | begin\nweb | next\n"
    assert result.stderr == (
        "harness: 1234 bytes of stdout of web are missing here: its log was cut to its cap "
        "(log_max_size) before they were read\n"
    )


def test_a_loss_without_a_line_after_it_prints_nothing_else(cli: Any, logs: Any) -> None:
    logs({**chunk(""), "skipped": 5})
    result = cli("logs", "web")
    assert result.stdout == ""
    assert "5 bytes of stdout of web are missing" in result.stderr


def test_output_that_was_lost_stands_in_the_next_record_as_json(cli: Any, logs: Any) -> None:
    logs({**chunk("a\nb\n"), "skipped": 7})
    records = [json.loads(line) for line in cli("logs", "--json").stdout.splitlines()]
    assert [record.get("skipped") for record in records] == [7, None]


def test_logs_send_the_filters(cli: Any, logs: Any) -> None:
    cli("logs", "web", "-f", "--tail", "5", "--grep", "x+", "--stream", "stderr")
    assert cli.client.calls_of("logs.read") == [
        {
            "project": "shop",
            "units": ["web"],
            "tail": 5,
            "since": None,
            "until": None,
            "grep": "x+",
            "stream": "stderr",
            "follow": True,
        }
    ]


def test_since_takes_how_long_ago_and_a_time(cli: Any, logs: Any) -> None:
    cli("logs", "--since", "10m", "--until", "2026-01-31T12:00:00+00:00")
    (call,) = cli.client.calls_of("logs.read")
    ago = datetime.now(UTC) - datetime.fromisoformat(call["since"])
    assert timedelta(minutes=10) <= ago < timedelta(minutes=11)
    assert call["until"] == "2026-01-31T12:00:00+00:00"


@pytest.mark.parametrize("arguments", [["--since", "yesterday"], ["--tail", "some"]])
def test_a_bad_filter_is_a_usage_error(cli: Any, logs: Any, arguments: list[str]) -> None:
    assert cli("logs", *arguments).exit_code == 2


def test_logs_of_an_unknown_service_exit_with_4(cli: Any, logs: Any) -> None:
    result = cli("logs", "wbe")
    assert result.exit_code == 4
    assert 'did you mean "web"?' in result.stderr


def test_events_are_one_line_each_and_all_pages_are_read(cli: Any, make_event: Any) -> None:
    first = [make_event(number, "daemon-started") for number in range(1, 1001)]
    last = [make_event(1001, "unit-state-changed", unit="web", new="failed", reason="gone")]
    cli.client.answers["events.list"] = lambda after, **_: first if after == 0 else last
    lines = cli("events").stdout.splitlines()
    assert len(lines) == 1001
    assert lines[-1].endswith("  web  failed (gone)")
    assert lines[-1].lstrip().startswith("1001")


def test_events_as_json_are_one_record_a_line(cli: Any, make_event: Any) -> None:
    cli.client.answers["events.list"] = [make_event(4, "daemon-started", pid=1, version="1")]
    (record,) = map(json.loads, cli("events", "--json", "--since", "3").stdout.splitlines())
    assert record["number"] == 4
    assert cli.client.calls_of("events.list")[0]["after"] == 3


def test_events_follow_from_a_number(cli: Any, make_event: Any) -> None:
    cli.client.answers["events.subscribe"] = [make_event(5, "gap", first=1, last=4)]
    result = cli("events", "-f", "--since", "0", "--all-projects")
    assert "events 1 to 4 were not delivered" in result.stdout
    assert cli.client.calls_of("events.subscribe") == [{"after": 0, "project": None}]


EXPLANATION = {
    "unit": "follower",
    "kind": "service",
    "state": "backoff",
    "health": "none",
    "since": "2026-01-31T12:04:31+00:00",
    "summary": "follower is in back-off after 4 attempts: exit status 3",
    "needs": [
        {"unit": "chain", "condition": "healthy", "met": True, "state": "running"},
        {"unit": "seed", "condition": "completed", "met": False, "state": "running"},
    ],
    "probe": {
        "stage": "ready",
        "check": "jsonrpc eth_chainId at http://127.0.0.1:1/",
        "tries": 7,
        "message": "refused",
        "last": [
            {
                "at": "2026-01-31T12:04:31+00:00",
                "ok": False,
                "latency_ms": 1.0,
                "message": "refused",
            }
        ],
    },
    "last_output": ["Traceback", "KeyError"],
    "next": "attempt 5 of 5",
    "causes": [
        {
            "unit": "seed",
            "kind": "task",
            "state": "running",
            "health": "none",
            "since": None,
            "summary": "seed is running and has not completed yet",
            "needs": [],
            "probe": None,
            "last_output": [],
            "next": None,
            "causes": [],
        }
    ],
}


def test_why_follows_the_chain_of_causes(cli: Any) -> None:
    cli.client.answers["services.why"] = EXPLANATION
    lines = cli("why", "follower").stdout.splitlines()
    assert lines[0].startswith(f"{EXPLANATION['summary']} (since 2026-01-31 ")
    assert lines[1:] == [
        "  last output   Traceback",
        "                KeyError",
        "  it needs      chain healthy ✓   seed completed ✗ (running)",
        "  its probe     jsonrpc eth_chainId at http://127.0.0.1:1/: refused (7 tries)",
        "  next          attempt 5 of 5",
        "  seed is running and has not completed yet",
    ]
    assert json.loads(cli("why", "follower", "--json").stdout) == EXPLANATION


def test_the_waiting_line_is_the_same_explanation_in_one_line() -> None:
    from harness.explanations import waiting_line

    assert waiting_line(EXPLANATION) == (
        "for chain → healthy ✓, seed → completed ✗ (running), "
        "own probe jsonrpc eth_chainId at http://127.0.0.1:1/: refused (7 tries)"
    )


@pytest.fixture
def with_checks(cli: Any, make_unit: Any) -> Any:
    """The program over two services; the test says what their checks found."""
    services = [make_unit("db"), make_unit("web")]
    cli.client.answers["services.status"] = {"project": "shop", "services": services}
    return cli


def test_health_is_a_line_a_stage_and_exits_with_3_when_unhealthy(with_checks: Any) -> None:
    cli = with_checks
    tries = [{"at": "2026-01-31T12:00:00+00:00", "ok": False, "latency_ms": 3.0, "message": "no"}]
    probe = {"check": "tcp 127.0.0.1:5432", "message": "no", "last": tries}
    stage = {"name": "ready", "reached": True, "reached_after_s": 0.2, **probe}
    db = {"unit": "db", "state": "unhealthy", "stages": [stage], "liveness": None}
    web: dict[str, Any] = {"unit": "web", "state": "none", "stages": [], "liveness": None}
    cli.client.answers["health.list"] = lambda unit, **_: {"web": [web]}.get(unit, [db, web])
    result = cli("health")
    assert result.exit_code == 3
    assert [" ".join(line.split()) for line in result.stdout.splitlines()[1:]] == [
        "db unhealthy ready after 0.20 s tcp 127.0.0.1:5432: no (3 ms)",
        "web - - - -",
    ]
    assert cli("health", "web").exit_code == 0


def test_health_of_a_service_that_has_failed_exits_with_3(with_checks: Any, make_unit: Any) -> None:
    cli = with_checks
    failed, other = make_unit("db", state="failed", ready=False), make_unit("web", state="failed")
    cli.client.answers |= {
        "services.status": {"project": "shop", "services": [failed, other]},
        "health.list": [{"unit": "db", "state": "none", "stages": [], "liveness": None}],
    }
    result = cli("health")
    assert result.exit_code == 3
    assert result.stderr == "note: db has failed (harness why db)\n"


def test_health_shows_what_a_check_of_the_log_has_read_so_far(with_checks: Any) -> None:
    cli = with_checks
    message = "no match for /up/ in 3 lines of output"
    probe = {"check": "log /up/", "message": message, "last": []}
    stage = {"name": "ready", "reached": False, **probe}
    cli.client.answers["health.list"] = [
        {"unit": "db", "state": "starting", "stages": [stage], "liveness": None}
    ]
    assert cli("health").stdout.splitlines()[1].endswith(f"  log: {message}")


def test_health_check_runs_the_checks_of_named_services(with_checks: Any) -> None:
    cli = with_checks
    report: dict[str, Any] = {"unit": "db", "state": "healthy", "stages": [], "liveness": None}
    cli.client.answers |= {"health.list": [report], "health.check": [report]}
    assert cli("health", "--check").exit_code == 2
    assert cli("health", "db", "--check").exit_code == 0
    assert cli.client.calls_of("health.check") == [{"project": "shop", "unit": "db"}]


def test_top_shows_what_services_use(cli: Any) -> None:
    cli.client.answers["services.top"] = [
        {"name": "db", "processes": 3, "rss_bytes": 5 * 2**20, "cpu_s": 1.5}
    ]
    assert cli("top").stdout.splitlines()[1].split() == ["db", "3", "5.0", "MiB", "1.50", "s"]


def test_nothing_to_show_is_a_note_and_no_error(cli: Any) -> None:
    cli.client.answers |= {"services.top": [], "tasks.list": [], "registry.list": []}
    for words in (["top"], ["task", "list"], ["registry", "list"]):
        result = cli(*words)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr.startswith("note: ")


@pytest.fixture
def with_ports(cli: Any, make_unit: Any) -> None:
    address = {"host": "127.0.0.1", "port": 80, "url": "http://127.0.0.1:80"}
    services = [
        make_unit("db", endpoints={"sql": address}),
        make_unit("web", endpoints={"http": address, "admin": {**address, "port": 81}}),
        make_unit("idle"),
        make_unit("late", state="pending"),
    ]
    cli.client.answers["services.status"] = {"project": "shop", "services": services}
    declared: dict[str, Any] = {"idle": {}, "late": {"http": {"host": None}}}
    cli.client.answers["services.inspect"] = lambda unit, **_: {"spec": {"ports": declared[unit]}}


@pytest.mark.parametrize(
    ("arguments", "stdout", "code"),
    [
        (["db"], "127.0.0.1:80\n", 0),
        (["web"], "http 127.0.0.1:80\nadmin 127.0.0.1:81\n", 0),
        (["web", "admin"], "127.0.0.1:81\n", 0),
        (["web", "nope"], "", 2),
        (["idle"], "", 1),
        (["nope"], "", 4),
    ],
)
def test_port_prints_where_a_service_listens(
    cli: Any, with_ports: Any, arguments: list[str], stdout: str, code: int
) -> None:
    result = cli("port", *arguments)
    assert (result.stdout, result.exit_code) == (stdout, code)


@pytest.mark.parametrize(
    ("unit", "cause"),
    [("idle", "has no ports"), ("late", "does not run; its ports are known once it does")],
)
def test_port_says_why_there_is_none(cli: Any, with_ports: Any, unit: str, cause: str) -> None:
    assert cli("port", unit).stderr == f'note: "{unit}" {cause}\n'


def test_env_prints_assignments_and_reveals_only_when_asked(cli: Any) -> None:
    cli.client.answers["services.env"] = {"A": "1", "TOKEN": "***"}
    assert cli("env", "web").stdout == "A=1\nTOKEN=***\n"
    cli("env", "web", "--reveal")
    assert [call["reveal"] for call in cli.client.calls_of("services.env")] == [False, True]


def test_inspect_prints_one_document(cli: Any, make_unit: Any) -> None:
    cli.client.answers["services.inspect"] = {**make_unit("web"), "spec": {}}
    assert json.loads(cli("inspect", "web").stdout)["spec"] == {}


def test_plan_shows_action_and_reason(cli: Any) -> None:
    change = {"unit": "db", "kind": "service", "action": "restart", "reasons": ["env changed"]}
    cli.client.answers["plan.diff"] = {"project": "shop", "changes": [change]}
    assert cli("plan").stdout.splitlines()[1] == "db       restart  env changed"


@pytest.mark.parametrize(
    ("form", "part"),
    [
        ("text", "  ← db  healthy synced"),
        ("dot", '  "web" -> "db" [label="healthy synced", style=dashed];'),
        ("mermaid", "  n1 -.->|healthy synced| n0"),
    ],
)
def test_graph_writes_each_format(cli: Any, form: str, part: str) -> None:
    cli.client.answers["plan.graph"] = {
        "project": "shop",
        "nodes": [
            {"name": "db", "kind": "service", "type": "process"},
            {"name": "web", "kind": "service", "type": "process"},
        ],
        "edges": [
            {
                "from": "web",
                "to": "db",
                "condition": "healthy",
                "stage": "synced",
                "implicit": True,
            }
        ],
    }
    assert part in cli("graph", "--format", form).stdout.splitlines()
    assert json.loads(cli("graph", "--format", "json").stdout)["edges"][0]["to"] == "db"


def test_task_status_exits_with_3_until_it_completed(cli: Any, make_unit: Any) -> None:
    done = make_unit("seed", kind="task", state="exited", exit_code=0, outputs={"n": 1})
    todo = make_unit("more", kind="task", state="stopped", ready=False)
    cli.client.answers["tasks.list"] = [
        {**done, "completed_at": "2026-01-31T12:00:00+00:00", "input_hash": "x"},
        {**todo, "completed_at": None, "input_hash": None},
    ]
    assert cli("task", "status", "seed").exit_code == 0
    assert cli("task", "status").exit_code == 3
    assert cli("task", "status", "sed").exit_code == 4
    assert cli("task", "list").exit_code == 0
    assert "outputs" not in cli("task", "list").stdout
    assert "n=1" in cli("task", "list").stdout


def test_task_reset_forgets_completion(cli: Any) -> None:
    cli.client.answers["tasks.reset"] = None
    assert cli("task", "reset", "seed").exit_code == 0
    assert cli.client.calls_of("tasks.reset") == [{"project": "shop", "tasks": ["seed"]}]


def test_registry_lists_all_projects_unless_one_is_named(cli: Any, make_unit: Any) -> None:
    entry = {**make_unit("db"), "project": "shop", "version": "16", "labels": {}, "since": None}
    cli.client.answers["registry.list"] = [entry]
    assert cli("registry", "list", "--label", "tier=db").stdout.splitlines()[1].split() == [
        "shop", "db", "process", "16", "running", "-", "-",
    ]  # fmt: skip
    cli("registry", "list", "-p", "shop")
    assert cli.client.calls_of("registry.list") == [
        {"project": None, "label": "tier=db"},
        {"project": "shop", "label": None},
    ]


def test_health_shows_a_liveness_check_and_stages_with_unknown_facts(with_checks: Any) -> None:
    cli = with_checks
    tries = [{"ok": True, "message": "yes", "latency_ms": 2.0}]
    liveness = {"stage": "liveness", "check": "tcp :1", "message": "yes", "last": tries}
    report = {"unit": "db", "state": "healthy", "stages": [{"name": "ready"}], "liveness": liveness}
    cli.client.answers["health.list"] = [report]
    result = cli("health")
    assert result.exit_code == 0
    assert [line.split() for line in result.stdout.splitlines()[1:]] == [
        ["db", "healthy", "ready", "-", "-"],
        ["db", "healthy", "liveness", "-", "yes", "(2", "ms)"],
    ]


def test_events_of_named_units_leave_single_tries_of_checks_out(cli: Any, make_event: Any) -> None:
    cli.client.answers["events.list"] = [
        make_event(1, "health-changed", unit="db", new="healthy"),
        make_event(2, "health-changed", unit="web", new="starting"),
        make_event(3, "probe-finished", unit="web", stage="ready", ok=True),
        make_event(4, "health-changed", unit="web", new="healthy"),
    ]

    def numbers(*arguments: str) -> list[int]:
        return [int(line.split()[0]) for line in cli("events", *arguments).stdout.splitlines()]

    assert numbers("web") == [2, 4]
    assert numbers("web", "-v") == [2, 3, 4]
    assert numbers("--tail", "1") == [4]


def test_since_takes_a_time_of_today(cli: Any, logs: Any) -> None:
    cli("logs", "--since", "15:56:12")
    today = datetime.now().astimezone()
    expected = today.replace(hour=15, minute=56, second=12, microsecond=0)
    (call,) = cli.client.calls_of("logs.read")
    assert datetime.fromisoformat(call["since"]) == expected


def test_top_on_a_terminal_is_shown_again_with_the_share_of_a_processor(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = iter((1.0, 1.0 + 3600))

    def usages(**_: object) -> list[dict[str, Any]]:
        used = next(seconds, None)
        if used is None:
            raise KeyboardInterrupt
        return [
            {"name": name, "processes": 1, "rss_bytes": 2**20, "cpu_s": used if name == "b" else 0}
            for name in ("a", "b", "c")
        ]

    monkeypatch.setattr("harness.cli.output.Output.size", lambda _: (80, 5))
    monkeypatch.setattr("harness.cli.services.top._INTERVAL_S", 0.01)
    cli.client.answers["services.top"] = usages
    result = cli("top")
    assert result.exit_code == 130
    first, second = (text.splitlines() for text in result.stdout.split("\x1b[H\x1b[2J")[1:])
    assert [line.split()[0] for line in first] == ["SERVICE", "a", "b", "…"]
    assert first[1].split()[-1] == "-"
    assert second[1].split()[0] == "b"
    assert second[1].endswith("%")
    assert second[-1] == "… and 1 more"


def test_top_is_shown_once_when_that_is_wanted(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.cli.output.Output.size", lambda _: (80, 24))
    cli.client.answers["services.top"] = []
    assert cli("top", "--once").exit_code == 0
    assert json.loads(cli("top", "--json").stdout) == []
