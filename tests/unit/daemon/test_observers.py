"""Observers of plugins: told of every change, and never in the way."""

from __future__ import annotations

import itertools
from pathlib import Path

import anyio
import pytest

from harness.daemon import observers
from harness.events import EventBus
from harness.model import EventKind, ServiceState
from harness.plugins import PluginReport, Plugins
from harness.storage import MemoryStore
from tests import watching_plugin
from tests.fakes.clock import FakeClock

from .test_methods import _up, daemon

pytestmark = pytest.mark.usefixtures("swept")

STACK = "name: shop\nservices:\n  a: {type: fake}\n  b: {type: fake, depends_on: [a]}\n"


@pytest.fixture(autouse=True)
def _plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.watching_plugin")
    watching_plugin.seen.clear()


async def test_an_observer_is_told_of_every_change_from_the_daemons_start_to_its_end(
    tmp_path: Path,
) -> None:
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
    told = [(t.unit, t.old, t.new) for t in watching_plugin.seen if t.unit == "b"]
    state = ServiceState
    assert told[:2] == [
        ("b", state.STOPPED, state.PENDING),
        ("b", state.PENDING, state.STARTING),
    ]
    assert told[-1] == ("b", state.STOPPING, state.STOPPED)
    assert all(earlier[2] == later[1] for earlier, later in itertools.pairwise(told))
    numbers = [t.number for t in watching_plugin.seen]
    assert numbers == sorted(numbers)
    assert {t.project for t in watching_plugin.seen} == {"shop"}


async def test_what_fails_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observers, "_BEGIN_AFTER_S", 0.0)
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
        (own,) = (p for p in await client.plugins.list() if p["source"] == "HARNESS_PLUGINS")
        assert own["error"] is None
        assert own["brings"] == {"observers": ["watch", "stumble", "Stuck"]}
        with anyio.fail_after(5):
            while "observer stumble" not in own["failures"]:
                await client.operations.wait(id=(await _up(client, source))["id"])
                own = next(p for p in await client.plugins.list() if p["name"] == own["name"])
        assert "last with ValueError: no room for" in own["failures"]["observer stumble"]


async def test_one_that_is_too_slow_is_told_what_it_missed(monkeypatch) -> None:
    monkeypatch.setattr(observers, "_QUEUE_LENGTH", 2)
    bus = EventBus(store=MemoryStore(), clock=FakeClock())
    report = PluginReport(name="p", source="s", module="m")
    go_on, first = anyio.Event(), anyio.Event()
    units: list[str] = []

    async def slow(transition) -> None:
        units.append(transition.unit)
        first.set()
        await go_on.wait()

    def change(unit: str) -> None:
        data = {"old": "stopped", "new": "pending", "ready": False}
        bus.publish(EventKind.UNIT_STATE_CHANGED, project="shop", unit=unit, data=data)

    class Found:
        async def are_there(self) -> bool:
            return True

        async def plugins(self) -> Plugins:
            found = Plugins()
            found.observers.append((report, slow))
            return found

    monkeypatch.setattr(observers, "_BEGIN_AFTER_S", 0.0)
    with anyio.fail_after(5):
        async with observers.observing(bus, Found()):  # type: ignore[arg-type]
            await anyio.wait_all_tasks_blocked()
            change("a")
            await first.wait()
            for unit in "bcdef":
                change(unit)
            go_on.set()
            await anyio.wait_all_tasks_blocked()
            change("g")
            bus.publish(EventKind.DAEMON_STOPPED)
    assert units == ["a", "b", "c", "g"]
    assert report.failures == {"observer slow": "was too slow, and missed 3 events"}


async def test_a_daemon_without_plugins_loads_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HARNESS_PLUGINS")
    monkeypatch.setattr("harness.installed.names_entry_points", lambda _: False)
    monkeypatch.setattr(observers, "_BEGIN_AFTER_S", 0.0)
    monkeypatch.setattr(Plugins, "load", lambda **_: pytest.fail("loaded"))
    async with daemon(tmp_path, STACK) as (client, source):
        await _up(client, source)
