"""Two clients that want different things of one project: the later request counts."""

from __future__ import annotations

import anyio

from harness.supervisor import OperationState
from tests.unit.supervisor.scene import Scene, checked, needs, service


async def test_an_up_during_a_down_wins_and_both_end(play: Scene) -> None:
    units = (service("db"), service("web", needs("db")))
    await play.brought_up(*units)
    gate = play.executor.stop_gate = anyio.Event()
    down = play.stacks.down(play.project)
    await play.settle()
    assert play.states() == {"db": "running", "web": "stopping"}
    up = play.up(*units)
    await play.settle()
    play.executor.stop_gate = None
    gate.set()
    await play.ended(down)
    await play.ended(up)
    assert play.outcomes(up) == {"db": "ready", "web": "ready"}
    assert down.state is OperationState.FAILED
    assert {result.message for result in down.results} == {"somebody else started it"}
    assert play.executor.names("stop") == ["web"]
    assert play.executor.names("start") == ["db", "web", "web"]


async def test_a_down_during_an_up_wins_and_both_end(play: Scene) -> None:
    up = play.up(service("db", health=checked("db")), service("web", needs("db")))
    await play.settle()
    assert play.states() == {"db": "running", "web": "pending"}
    await play.taken_down()
    await play.ended(up)
    assert up.state is OperationState.FAILED
    assert {r.unit: r.message for r in up.results}["web"] == "somebody else stopped it"
    assert play.states() == {"db": "stopped", "web": "stopped"}


async def test_a_down_does_not_wait_for_what_another_client_starts_again(play: Scene) -> None:
    await play.brought_up(service("db"), service("web"))
    gate = play.executor.stop_gate = anyio.Event()
    down = play.stacks.down(play.project)
    await play.settle()
    play.stacks.start(play.project, ["web"])
    await play.settle()
    play.executor.stop_gate = None
    gate.set()
    await play.ended(down)
    assert {r.unit: r.message for r in down.results}["web"] == "somebody else started it"
    assert play.outcomes(down)["db"] == "stopped"
