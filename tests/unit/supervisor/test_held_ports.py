"""A unit holds its ports from its start to its end, whether anybody listens there or not."""

from __future__ import annotations

import socket
from pathlib import Path

from harness.model import PortSpec, ServiceSpec
from harness.storage import MemoryStore
from tests.fakes.clock import FakeClock
from tests.unit.supervisor.scene import Scene, scene, service


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def at(name: str, number: int, **more: float) -> ServiceSpec:
    return service(name, ports={"http": PortSpec(name="http", host=number)}, **more)


async def test_the_port_of_a_unit_that_ended_is_free_for_another(play: Scene) -> None:
    number = free_port()
    await play.brought_up(at("first", number, run_for=1.0))
    refused = await play.brought_up(at("first", number, run_for=1.0), at("second", number))
    assert play.outcomes(refused)["second"] == "failed"
    assert f"port {number} is already in use by p/first" in play.reason("second")
    await play.clock.run_for(2)
    assert play.state("first") == "exited"
    await play.ended(play.stacks.start(play.project, ["second"]))
    assert play.states() == {"first": "exited", "second": "running"}


async def test_the_port_of_an_adopted_unit_is_held(tmp_path: Path) -> None:
    number, store, clock = free_port(), MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock) as play:
        await play.brought_up(at("first", number))
    async with scene(tmp_path, store=store, clock=clock) as play:
        await play.stacks.recover()
        refused = await play.brought_up(at("first", number), at("second", number))
        assert play.outcomes(refused) == {"first": "ready", "second": "failed"}
        assert f"port {number} is already in use by p/first" in play.reason("second")
