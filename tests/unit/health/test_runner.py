"""One try of any check: deadline, composites, commands, logs."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest

from harness.errors import CommandNotFound, CommandTimeout, HandleLost
from harness.health import CheckResult, CheckRunner, describe, question
from harness.health.log_watch import LogWatch
from harness.model import (
    CheckSpec,
    CommandCheck,
    CompositeCheck,
    CompositeMode,
    GraphqlCheck,
    HttpCheck,
    JsonRpcCheck,
    LogCheck,
    TcpCheck,
)
from tests.unit.health.scripted import ScriptedUnit
from tests.unit.health.servers import free_port, http_service, response, tcp_service

COMMAND = CommandCheck(argv=("/usr/bin/pg_isready", "-q"))
ALL, ANY = CompositeMode.ALL, CompositeMode.ANY


async def run(check: CheckSpec, unit: ScriptedUnit, timeout_s: float = 5) -> CheckResult:
    with anyio.fail_after(10):
        return await CheckRunner().run(check, context=unit, timeout_s=timeout_s)


async def quiet(stream: anyio.abc.ByteStream) -> None:
    await stream.receive()


# ── command ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_command_that_ends_with_zero_passes() -> None:
    result = await run(COMMAND, ScriptedUnit())
    assert (result.ok, result.message) == (True, "exit status 0")


async def test_a_failed_command_shows_its_status_and_last_line() -> None:
    unit = ScriptedUnit()
    unit.code, unit.output = 2, "trying\n\x1b[31mno \tresponse\n\n"
    result = await run(COMMAND, unit)
    assert not result.ok
    assert result.message == "exit status 2: \N{REPLACEMENT CHARACTER}[31mno response"


async def test_a_silent_failed_command_shows_the_signal_that_ended_it() -> None:
    unit = ScriptedUnit()
    unit.code = -9
    assert (await run(COMMAND, unit)).message == "ended by SIGKILL"


async def test_a_command_that_cannot_be_run_is_a_failed_check() -> None:
    unit = ScriptedUnit()
    unit.code = CommandNotFound(command="pg_isready", cause="no such program")
    result = await run(COMMAND, unit)
    assert not result.ok
    assert result.message == "cannot run `pg_isready`: no such program"


async def test_an_executor_without_exec_is_a_failed_check() -> None:
    unit = ScriptedUnit()
    unit.code = HandleLost(service="db", executor="docker", cause="container gone")
    assert (await run(COMMAND, unit)).message == 'cannot find "db": container gone'


async def test_a_command_that_the_context_timed_out_says_so() -> None:
    unit = ScriptedUnit()
    unit.code = CommandTimeout(command="x", cause="took too long")
    assert (await run(COMMAND, unit, timeout_s=2.5)).message == "no answer within 2.5 s"


async def test_a_hanging_command_is_cancelled_at_the_timeout() -> None:
    unit = ScriptedUnit()
    unit.code = None
    result = await run(COMMAND, unit, timeout_s=0.05)
    assert (result.ok, result.message) == (False, "no answer within 0.05 s")
    assert 0.04 < result.latency_s < 2
    assert unit.cancelled == 1


async def test_cancelling_the_caller_cancels_the_check() -> None:
    unit = ScriptedUnit()
    unit.code = None
    with anyio.move_on_after(0.02) as scope:
        await CheckRunner().run(COMMAND, context=unit, timeout_s=60)
    assert scope.cancelled_caught
    assert unit.cancelled == 1


# ── tcp ──────────────────────────────────────────────────────────────────────────────────────────


async def test_tcp_passes_when_the_connection_is_accepted() -> None:
    async with tcp_service(quiet) as port:
        result = await run(TcpCheck(port=str(port)), ScriptedUnit())
    assert (result.ok, result.message) == (True, "connection accepted")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_tcp_says_that_the_connection_was_refused(host: str) -> None:
    check = TcpCheck(host=host, port=str(await free_port()))
    assert (await run(check, ScriptedUnit())).message == "connection refused"


@pytest.mark.parametrize("port", ["", "0", "70000", "http", "-1", "²"])
async def test_tcp_names_a_port_that_is_none(port: str) -> None:
    result = await run(TcpCheck(port=port), ScriptedUnit())
    assert (result.ok, result.message) == (False, f'"{port}" is not a port number')


async def test_tcp_says_that_a_host_name_is_unknown() -> None:
    result = await run(TcpCheck(host="no-such-host.invalid", port="80"), ScriptedUnit())
    assert not result.ok
    assert result.message.startswith("cannot resolve the host name")


# ── log ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_log_check_passes_when_the_line_is_there_and_closes_the_output() -> None:
    unit = ScriptedUnit()
    unit.write("booting")
    unit.write("ready to accept connections", "stderr")
    result = await run(LogCheck(pattern="ready to"), unit)
    assert (result.ok, result.message) == (True, "/ready to/ seen")
    assert unit.closed == 1


async def test_a_log_check_fails_at_the_timeout_with_what_was_read() -> None:
    unit = ScriptedUnit()
    unit.write("ready once")
    result = await run(LogCheck(pattern="ready", count=2), unit, timeout_s=0.05)
    assert (result.ok, result.message) == (
        False,
        "1 of 2 matches for /ready/ in 1 line of output",
    )


async def test_a_log_check_looks_at_its_stream_alone() -> None:
    unit = ScriptedUnit()
    unit.write("ready", "stderr")
    unit.end()
    result = await run(LogCheck(pattern="ready", stream="stdout"), unit)
    assert not result.ok
    assert result.message.endswith("; the output has ended")


async def test_unreadable_output_fails_the_log_check() -> None:
    unit = ScriptedUnit()
    unit.log_error = HandleLost(service="db", executor="docker", cause="container gone")
    result = await run(LogCheck(pattern="x"), unit)
    assert 'cannot find "db": container gone' in result.message


async def test_a_pattern_that_is_none_fails_the_log_check() -> None:
    unit = ScriptedUnit()
    unit.end()
    assert "/(/ is no regular expression" in (await run(LogCheck(pattern="("), unit)).message


async def test_a_pattern_that_backtracking_never_ends_looks_on_at_once() -> None:
    unit = ScriptedUnit()
    unit.write("a" * 500_000 + "!")
    unit.write("aaa")
    assert (await run(LogCheck(pattern="^(a+)+$"), unit)).ok


async def test_one_watch_serves_several_checks_and_tells_of_each_once() -> None:
    unit, told = ScriptedUnit(), []
    one, two = LogCheck(pattern="one"), LogCheck(pattern="two", count=2)
    watch = LogWatch([one, two], on_change=lambda: told.append(watch.outcome(two)[0]))
    for line in ("two", "one", "one", "two", "two"):
        unit.write(line)
    with anyio.fail_after(5):
        await watch.follow(unit)
    assert told == [False, True]
    assert watch.outcome(one)[0]
    assert watch.outcome(two)[0]


async def test_output_that_never_pauses_leaves_room_for_others() -> None:
    unit = ScriptedUnit()
    for _ in range(5000):
        unit.write("noise")
    watch, reads = LogWatch([LogCheck(pattern="ready")]), []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch.follow, unit)
        while "5000" not in watch.outcome(watch.checks[0])[1]:
            reads.append(watch.outcome(watch.checks[0])[1])
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert len(set(reads)) > 5


# ── composite ────────────────────────────────────────────────────────────────────────────────────


async def test_all_stops_at_the_first_part_that_fails_and_names_it() -> None:
    unit = ScriptedUnit()
    port = await free_port()
    parts = (TcpCheck(port=str(port)), COMMAND)
    result = await run(CompositeCheck(mode=ALL, checks=parts), unit)
    assert (result.ok, result.message) == (False, f"tcp 127.0.0.1:{port}: connection refused")
    assert unit.called_at == []


async def test_all_passes_when_every_part_does() -> None:
    unit = ScriptedUnit()
    unit.write("ready")
    parts = (COMMAND, LogCheck(pattern="ready"))
    result = await run(CompositeCheck(mode=ALL, checks=parts), unit)
    assert result.ok
    assert result.message == "command pg_isready: exit status 0; log /ready/: /ready/ seen"


async def test_any_passes_with_the_first_part_that_does() -> None:
    unit = ScriptedUnit()
    parts = (TcpCheck(port=str(await free_port())), COMMAND)
    result = await run(CompositeCheck(mode=ANY, checks=parts), unit)
    assert (result.ok, result.message) == (True, "command pg_isready: exit status 0")


async def test_any_that_fails_tells_of_every_part() -> None:
    unit = ScriptedUnit()
    unit.code = 1
    parts = (TcpCheck(port=str(await free_port())), COMMAND)
    result = await run(CompositeCheck(mode=ANY, checks=parts), unit)
    assert not result.ok
    assert "connection refused; command pg_isready: exit status 1" in result.message


async def test_a_part_of_any_that_hangs_leaves_time_for_the_next() -> None:
    unit = ScriptedUnit()
    async with http_service(None) as hanging:
        parts = (HttpCheck(url=hanging.url), COMMAND)
        result = await run(CompositeCheck(mode=ANY, checks=parts), unit, timeout_s=0.4)
    assert (result.ok, result.message) == (True, "command pg_isready: exit status 0")


async def test_a_composite_as_a_whole_ends_at_the_timeout() -> None:
    unit = ScriptedUnit()
    unit.code = None
    inner = CompositeCheck(mode=ALL, checks=(COMMAND, COMMAND))
    result = await run(CompositeCheck(mode=ALL, checks=(inner, COMMAND)), unit, timeout_s=0.1)
    assert not result.ok
    assert result.latency_s < 2
    assert unit.cancelled == 1


# ── many at once, names ──────────────────────────────────────────────────────────────────────────


async def test_many_http_checks_share_one_runner_at_the_same_time() -> None:
    results: list[CheckResult] = []
    async with http_service(response("ok")) as service:
        runner = CheckRunner()

        async def one() -> None:
            check = HttpCheck(url=service.url, body="ok")
            results.append(await runner.run(check, context=ScriptedUnit(), timeout_s=5))

        async with anyio.create_task_group() as tasks:
            for _ in range(30):
                tasks.start_soon(one)
    assert [result.ok for result in results] == [True] * 30


def test_names_of_checks_are_short_and_hold_no_credentials() -> None:
    checks: list[CheckSpec] = [
        HttpCheck(url="http://me:pw@127.0.0.1:80/x", method="HEAD"),
        JsonRpcCheck(url="http://127.0.0.1:1", method="eth_chainId"),
        GraphqlCheck(url="http://127.0.0.1:2"),
        CommandCheck(argv=("/bin/check", "--password=pw")),
        CompositeCheck(mode=ANY, checks=(COMMAND, COMMAND)),
        LogCheck(pattern="up"),
        TcpCheck(port="5"),
    ]
    names = [describe(check) for check in checks]
    assert names == [
        "http HEAD http://127.0.0.1:80/x",
        "jsonrpc eth_chainId at http://127.0.0.1:1",
        "graphql at http://127.0.0.1:2",
        "command check",
        "any of 2",
        "log /up/",
        "tcp 127.0.0.1:5",
    ]
    assert all(one != two for one, two in pairwise(names))


def test_what_a_command_asks_has_its_arguments_as_they_are() -> None:
    assert question(CommandCheck(argv=("test", "-f", "a\nb"))) == "command test -f a\nb"
