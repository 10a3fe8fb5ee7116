"""The setup of a service: after its checks, before it is ready, and never remembered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.errors import ActionError, HarnessError
from harness.model import (
    EventKind,
    RestartMode,
    RestartPolicy,
    ServiceState,
    SetupSpec,
    SetupState,
)
from harness.storage import MemoryStore
from harness.supervisor import OperationState, Unit
from tests.fakes.clock import FakeClock
from tests.unit.supervisor.scene import Scene, checked, needs, scene, service

NEVER = RestartPolicy(mode=RestartMode.NO)


class Furnishing:
    """A setup that a test directs.

    Attributes:
        asked: what was called, in order.
        done: what it says when it is asked.
        gate: while set, setting up waits for it.
        failures: raised by the next attempts, in turn.
        invalid: raised by the validation.
    """

    timeout_s = 5.0
    retries = 1

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.done = False
        self.gate: anyio.Event | None = None
        self.failures: list[Exception] = []
        self.invalid: Exception | None = None
        self.lost: HarnessError | None = None
        self.wanted = True

    async def find(self, unit: Unit) -> Furnishing | None:
        if self.lost is not None:
            raise self.lost
        return self if self.wanted else None

    async def is_set_up(self) -> bool:
        self.asked.append("is set up")
        return self.done

    async def set_up(self) -> None:
        self.asked.append("set up")
        if self.failures:
            raise self.failures.pop(0)
        if self.gate is not None:
            await self.gate.wait()
        self.done = True

    async def validate(self) -> None:
        self.asked.append("validate")
        if self.invalid is not None:
            raise self.invalid


@asynccontextmanager
async def furnished(directory: Path, **more: Any) -> AsyncIterator[tuple[Scene, Furnishing]]:
    setup = Furnishing()
    async with scene(directory, setups=setup.find, **more) as play:
        yield play, setup


def typed(name: str, **more: Any) -> Any:
    return service(name, service_type="room", restart=NEVER, **more)


def steps(play: Scene) -> list[tuple[str, str]]:
    found = play.events(EventKind.SETUP_CHANGED)
    return [(event.data["old"], event.data["new"]) for event in found]


async def test_a_service_is_set_up_before_it_is_ready_and_dependents_wait(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        setup.gate = anyio.Event()
        operation = play.up(typed("a"), service("b", needs("a")))
        await play.settle()
        unit = play.project.unit("a")
        assert (unit.setup, unit.is_ready) == (SetupState.RUNNING, False)
        assert (play.state("b"), operation.ended.is_set()) == ("pending", False)
        assert play.project.explain("a").summary == "a is running and not ready: it is being set up"
        setup.gate.set()
        await play.ended(operation)
        assert (unit.setup, unit.is_ready) == (SetupState.COMPLETE, True)
        assert setup.asked == ["is set up", "set up", "is set up", "validate"]
        assert steps(play) == [("required", "running"), ("running", "complete")]
        assert play.states() == {"a": "running", "b": "running"}


async def test_what_says_that_it_is_set_up_is_only_validated(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        setup.done = True
        await play.brought_up(typed("a"))
        assert setup.asked == ["is set up", "validate"]
        assert steps(play) == [("required", "complete")]


async def test_setup_begins_when_the_checks_pass(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        operation = play.up(typed("a", health=checked("a")))
        await play.clock.run_for(2)
        assert setup.asked == []
        assert play.project.unit("a").setup is SetupState.REQUIRED
        play.checks.passing = {"a"}
        await play.clock.run_for(2)
        await play.ended(operation)
        assert "set up" in setup.asked
        assert operation.state is OperationState.DONE


async def test_a_service_whose_type_has_no_setup_is_ready_at_once(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        setup.wanted = False
        await play.brought_up(typed("a"), service("b"))
        assert play.project.unit("a").setup is SetupState.NONE
        assert setup.asked == []


async def test_every_start_asks_again(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        await play.brought_up(typed("a"))
        setup.asked.clear()
        await play.ended(play.stacks.restart(play.project, ["a"]))
        assert setup.asked == ["is set up", "validate"]
        setup.done = False
        await play.ended(play.stacks.restart(play.project, ["a"]))
        assert setup.asked[-3:] == ["set up", "is set up", "validate"]


async def test_a_successor_asks_again_and_starts_nothing(tmp_path: Path) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with furnished(tmp_path, store=store, clock=clock) as (play, _):
        await play.brought_up(typed("a"))
    async with furnished(tmp_path, store=store, clock=clock) as (play, setup):
        setup.done = True
        await play.stacks.recover()
        await play.settle()
        assert setup.asked == ["is set up", "validate"]
        assert play.project.unit("a").is_ready
        assert play.executor.names("start") == []


async def test_a_failed_attempt_is_made_again(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        setup.failures = [ActionError("cannot furnish: no chairs")]
        operation = play.up(typed("a"))
        await play.clock.run_for(1)
        await play.ended(operation)
        assert operation.state is OperationState.DONE
        (again,) = [e for e in play.events(EventKind.SETUP_CHANGED) if e.data["new"] == "required"]
        assert again.data["message"] == "cannot furnish: no chairs; it is tried again"


async def test_the_rests_between_attempts_grow(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        setup.failures = [ActionError("cannot furnish")] * 3
        operation = play.up(typed("a", setup=SetupSpec(retries=3)))
        for rest_s in (0.5, 1.0, 2.0):
            with anyio.fail_after(10):
                await play.clock.sleepers(1)
            began_s = play.clock.monotonic()
            assert [due - began_s for due, _, _ in play.clock._waiting] == [rest_s]
            play.clock.advance(rest_s)
            await play.settle()
        await play.ended(operation)
        assert operation.state is OperationState.DONE


async def test_the_stack_file_says_how_often_and_for_how_long(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        setup.failures = [ActionError("cannot furnish: no chairs")]
        operation = play.up(typed("a", setup=SetupSpec(retries=0)))
        await play.ended(operation)
        assert play.state("a") == "failed"
        setup.gate = anyio.Event()
        operation = play.up(typed("b", setup=SetupSpec(retries=0, timeout_s=0.05)))
        with anyio.fail_after(5):
            await operation.ended.wait()
        reason = play.project.unit("b").record.reason
        assert reason == "its setup failed: it took longer than 0.05 s"


async def test_a_service_whose_setup_is_not_wanted_is_ready_at_once(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        await play.brought_up(typed("a", setup=SetupSpec(is_wanted=False)))
        assert (setup.asked, play.project.unit("a").is_ready) == ([], True)


def _fails(setup: Furnishing) -> None:
    setup.failures = [ActionError("cannot furnish: no chairs")] * 2


def _breaks(setup: Furnishing) -> None:
    setup.failures = [KeyError("chair")] * 2


def _is_invalid(setup: Furnishing) -> None:
    setup.invalid = ActionError("cannot use it: it wobbles")


@pytest.mark.parametrize(
    ("go_wrong", "cause"),
    [
        (_fails, "its setup failed: cannot furnish: no chairs"),
        (_breaks, "its setup failed: KeyError: 'chair'"),
        (_is_invalid, "its setup failed: cannot use it: it wobbles"),
    ],
)
async def test_a_setup_that_fails_for_good_fails_the_service(
    tmp_path: Path, go_wrong: Callable[[Furnishing], None], cause: str
) -> None:
    async with furnished(tmp_path) as (play, setup):
        go_wrong(setup)
        operation = play.up(typed("a"))
        await play.clock.run_for(2)
        await play.ended(operation)
        assert operation.state is OperationState.FAILED
        assert play.state("a") == "failed"
        assert play.reason("a").startswith(cause)


async def test_a_setup_that_does_not_help_is_a_failure(tmp_path: Path) -> None:
    class Useless(Furnishing):
        async def set_up(self) -> None:
            self.asked.append("set up")

    setup = Useless()
    async with scene(tmp_path, setups=setup.find) as play:
        operation = play.up(typed("a"))
        await play.clock.run_for(2)
        await play.ended(operation)
        assert "it was set up, and says that it is not" in play.reason("a")


async def test_a_setup_that_takes_too_long_is_cancelled(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        setup.gate, setup.timeout_s, setup.retries = anyio.Event(), 0.01, 0
        operation = play.up(typed("a"))
        with anyio.fail_after(5):
            await operation.ended.wait()
        assert play.reason("a").startswith("its setup failed: it took longer than 0.01 s")


async def test_a_setup_is_cancelled_when_its_service_stops(tmp_path: Path) -> None:
    async with furnished(tmp_path) as (play, setup):
        setup.gate = anyio.Event()
        play.up(typed("a"))
        await play.reaches("a", ServiceState.RUNNING)
        await play.settle()
        await play.ended(play.stacks.stop(play.project, ["a"]))
        assert (play.state("a"), setup.done) == ("stopped", False)
        assert play.project.unit("a").setup is SetupState.NONE


async def test_a_running_service_whose_type_is_gone_goes_on_and_is_not_ready(
    tmp_path: Path,
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with furnished(tmp_path, store=store, clock=clock) as (play, _):
        await play.brought_up(typed("a"))
    async with furnished(tmp_path, store=store, clock=clock) as (play, setup):
        setup.lost = ActionError("no plugin brings it")
        await play.stacks.recover()
        await play.settle()
        unit = play.project.unit("a")
        assert (unit.state, unit.is_ready) == (ServiceState.RUNNING, False)
        assert play.project.statuses()[0].message == "its setup failed"
