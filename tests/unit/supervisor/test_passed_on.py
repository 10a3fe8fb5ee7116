"""What a stack file says of a unit reaches its executor."""

from __future__ import annotations

import signal

from harness.model import ExitStatus
from tests.unit.supervisor.scene import Scene, service


async def test_a_unit_is_stopped_with_its_own_signal(play: Scene) -> None:
    await play.brought_up(service("a", stop_signal="SIGINT"), service("b"))
    await play.taken_down()
    ends = {unit.name: unit.record.exit for unit in play.project.units.values()}
    assert ends == {
        "a": ExitStatus(signal=signal.SIGINT),
        "b": ExitStatus(signal=signal.SIGTERM),
    }


async def test_the_later_of_two_env_files_wins(play: Scene) -> None:
    (play.directory / "one.env").write_text("A=1\nB=1\n")
    (play.directory / "two.env").write_text("B=2\nC=2\n")
    await play.brought_up(service("a", env_file=("one.env", "two.env"), env={"C": "3"}))
    env = play.executor.requests["a"].env
    assert {name: env[name] for name in "ABC"} == {"A": "1", "B": "2", "C": "3"}
