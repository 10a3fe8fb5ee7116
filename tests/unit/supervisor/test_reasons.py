"""What is said of units that failed, were stopped with others, or are not ready yet."""

from __future__ import annotations

import anyio
import pytest

from harness.executors import StopReport
from harness.model import (
    Backoff,
    EventKind,
    ExitStatus,
    HealthSpec,
    Hooks,
    LogCheck,
    ProbeSpec,
    RestartMode,
    RestartPolicy,
    SecretSpec,
    ServiceState,
    Stage,
)
from harness.supervisor.masking import masked
from harness.supervisor.reasons import cause_of, one_line, stop_text
from tests.unit.supervisor.scene import Scene, checked, hook, needs, service, task


def test_lines_are_joined() -> None:
    assert one_line("a\n  b\n\n") == "a; b"
    assert one_line(None) is None


def test_an_error_of_the_system_reads_plainly() -> None:
    assert cause_of(FileNotFoundError(2, "No such file or directory", "/x")) == (
        "no such file or directory: /x"
    )


@pytest.mark.parametrize(
    ("stop_signal", "report", "text"),
    [
        ("SIGTERM", None, None),
        ("SIGTERM", StopReport(exit=ExitStatus(signal=15)), None),
        ("SIGTERM", StopReport(exit=ExitStatus(code=143)), None),
        ("SIGKILL", StopReport(exit=ExitStatus(signal=9)), None),
        ("SIGTERM", StopReport(exit=ExitStatus(code=0)), "exit status 0"),
        ("SIGTERM", StopReport(exit=ExitStatus(signal=11)), "ended by SIGSEGV"),
        ("SIGINT", StopReport(exit=ExitStatus(signal=15)), "ended by SIGTERM"),
        ("SIGTERM", StopReport(exit=ExitStatus(signal=9), killed=True),
         "killed: it did not end within 2.5 s"),
        ("SIGTERM", StopReport(exit=ExitStatus(signal=9), killed=True, stragglers=("a", "b")),
         "killed: it did not end within 2.5 s; also killed: a, b"),
        ("SIGTERM", StopReport(exit=ExitStatus(signal=15), stragglers=("a",)), "also killed: a"),
    ],
)  # fmt: skip
def test_a_stop_says_what_was_not_asked_for(
    stop_signal: str, report: StopReport | None, text: str | None
) -> None:
    spec = service("a", stop_signal=stop_signal, shutdown_timeout_s=2.5)
    assert stop_text(spec, report) == text


def test_a_short_secret_masks_nothing() -> None:
    assert masked("abc is 1", frozenset({"1"})) == "abc is 1"


async def test_an_unreadable_secret_is_named_with_its_file(play: Scene) -> None:
    secrets = {"x": SecretSpec(name="x", file="gone")}
    await play.brought_up(service("a", env={"K": "${secrets.x}"}), secrets=secrets)
    path = play.directory / "gone"
    expected = f'it could not be started: cannot read the secret "x": no such file: {path}'
    assert play.reason("a") == expected


async def test_the_rest_is_stopped_because_of_the_one_that_failed(play: Scene) -> None:
    await play.brought_up(
        task("done"),
        service("slow", health=checked("never")),
        task("t1", run_for=0.0, exit_code=3),
    )
    assert play.states() == {"done": "exited", "slow": "stopped", "t1": "failed"}
    assert play.reason("slow") == 'stopped because "t1" failed'
    assert play.reason("t1") == "exit status 3"


async def test_a_task_that_was_done_has_no_reason_after_down(play: Scene) -> None:
    await play.brought_up(task("t"))
    await play.taken_down()
    last = play.events(EventKind.UNIT_STATE_CHANGED, "t")[-1]
    assert (last.data["reason"], last.data["exit"]) == (None, None)


async def test_the_failure_says_what_the_check_saw_last(play: Scene) -> None:
    play.up(service("a", health=checked("a"), startup_timeout_s=3.5))
    await play.clock.run_for(5)
    await play.reaches("a", ServiceState.FAILED)
    assert play.reason("a").startswith("it was not ready 3.5 s after its start: a refused (")
    probe = play.project.explain("a").probe
    assert probe is not None
    assert probe["message"] == "a refused"
    assert play.project.health("a")[0]["stages"][0]["message"] == "a refused"


async def test_the_failure_says_what_a_log_check_has_not_found(play: Scene) -> None:
    ready = Stage(name="ready", probe=ProbeSpec(check=LogCheck(pattern="READY")))
    play.up(service("a", health=HealthSpec(stages=(ready,)), startup_timeout_s=3.5))
    await play.clock.run_for(5)
    await play.reaches("a", ServiceState.FAILED)
    assert play.reason("a").startswith(
        "it was not ready 3.5 s after its start: no match for /READY/ in "
    )


async def test_a_unit_is_ready_only_after_its_post_start_hooks(play: Scene) -> None:
    gate = play.directory / "gate"
    script = f"until [ -e {gate} ]; do sleep 0.01; done"
    operation = play.up(
        service("a", hooks=Hooks(post_start=(hook(script),))), service("b", needs("a"))
    )
    await play.reaches("a", ServiceState.RUNNING)
    await play.settle()
    assert not play.project.unit("a").is_ready
    assert play.state("b") == "pending"
    gate.touch()
    await play.ended(operation)
    assert play.outcomes(operation) == {"a": "ready", "b": "ready"}


async def test_a_failing_post_start_hook_fails_the_start(play: Scene) -> None:
    hooks = Hooks(post_start=(hook("echo cannot migrate; exit 5"),))
    operation = await play.brought_up(service("a", hooks=hooks), service("b", needs("a")))
    assert play.outcomes(operation)["a"] == "failed"
    assert play.reason("a") == "its post_start hook failed: exit status 5; cannot migrate"
    assert play.executor.names("start") == ["a"]
    event = play.events(EventKind.HOOK_FINISHED, "a")[-1]
    assert event.data["message"] == "exit status 5"


async def test_a_reset_task_is_completed_no_more(play: Scene) -> None:
    await play.brought_up(task("t"))
    play.project.reset(["t"])
    with anyio.fail_after(5):
        await play.reaches("t", ServiceState.STOPPED)
    assert play.project.statuses()[0].exit_code == 0
    assert not play.project.unit("t").is_completed


async def test_a_unit_in_back_off_is_not_stopped(play: Scene) -> None:
    policy = RestartPolicy(mode=RestartMode.ALWAYS, backoff=Backoff(initial_s=9.0, jitter=0.0))
    play.up(service("a", run_for=0.0, restart=policy))
    await play.reaches("a", ServiceState.BACKOFF)
    with anyio.move_on_after(0.05) as limit:
        await play.project.wait_for(["a"], "stopped")
    assert limit.cancelled_caught


async def test_an_explanation_shows_the_newest_run_only(play: Scene) -> None:
    await play.brought_up(service("a", output=("first",)))
    await play.taken_down()
    await play.brought_up(service("a", output=("second",)))
    assert play.project.explain("a").last_output == ["second"]
