"""The Graph's stack: up, contracts, subgraphs, snapshots, and the demonstration of it all.

Beside it the same programs started by a script: what is saved, and what the harness costs.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from bench.install import PROJECT
from bench.processes import run
from bench.tools import Harness, ToolFailed
from graph_test_daemon.tools import tools_dir

from .base import PROGRAMS, Context, Line, Row, Value, attempt, median, repeated

__all__ = ["ROWS"]

_HARNESS = Path(sys.prefix) / "bin" / "harness"
_SHIPPED = PROJECT / "examples" / "graph"
_SUBGRAPH = _SHIPPED / "network-subgraph"
_NAME = "bench/network"
_BY_HAND = "by a script"


class _Graph(Harness):
    """A stack of The Graph with a cache of its own, which is empty at first.

    Args:
        stack: `minimal` or `protocol`.
    """

    def __init__(self, stack: str) -> None:
        super().__init__()
        shutil.copytree(_SHIPPED, self.folder, dirs_exist_ok=True)
        self.env |= {
            "GRAPH_TEST_TOOLS": str(tools_dir()),
            "HARNESS_FILE": str(self.folder / f"{stack}.yaml"),
        }

    def timed(self, *arguments: str) -> float:
        """Run a command of the harness; return the seconds that it took."""
        done = run([_HARNESS, *arguments], env=self.env, cwd=self.folder, timeout_s=120.0)
        if done.status != 0:
            raise ToolFailed(done.stderr.decode(errors="replace").strip()[-300:])
        return done.took_s


def _up(repeats: int) -> tuple[float, float]:
    """Return the seconds from nothing to all ready: with an empty cache, and with a filled one."""
    with _Graph("minimal") as tool:
        cold = tool.timed("up", "-q")
        warm = []
        for _ in range(repeats):
            tool.timed("down", "--volumes")
            tool.timed("daemon", "stop")
            warm.append(tool.timed("up", "-q"))
        return cold, median(warm)


def _by_hand(repeats: int) -> tuple[float, float]:
    """Return the same for the script."""
    with tempfile.TemporaryDirectory(prefix="bench-by-hand-") as home:
        found = repeated(repeats + 1, _script, Path(home))
    return found[0], median(found[1:])


def _script(home: Path) -> float:
    folder = tempfile.mkdtemp(dir=home)
    done = run(
        [sys.executable, PROGRAMS / "graph_by_hand.py", folder],
        env={**os.environ, "HOME": str(home), "GRAPH_TEST_TOOLS": str(tools_dir())},
        cwd=PROJECT,
        timeout_s=90.0,
    )
    if done.status != 0:
        raise ToolFailed(done.stderr.decode(errors="replace").strip()[-300:])
    return float(done.stdout)


def _stacks(context: Context) -> list[Line]:
    mine = attempt(context, "harness: the minimal stack", _up, context.repeats)
    theirs = attempt(context, "the same by a script", _by_hand, context.repeats)
    return [
        _line(
            f"The Graph's minimal stack from nothing to all ready, {state}",
            "s",
            limit,
            mine if isinstance(mine, str) else mine[at],
            theirs if isinstance(theirs, str) else theirs[at],
        )
        for at, (state, limit) in enumerate((("empty cache", 8.0), ("filled cache", 2.5)))
    ]


def _line(what: str, unit: str, limit: float, mine: Value, theirs: Value | None = None) -> Line:
    ratio = mine / theirs if isinstance(mine, float) and isinstance(theirs, float) else None
    return Line(
        what=what,
        unit=unit,
        target=f"at most {limit:g} {unit}",
        values={"harness": mine} if theirs is None else {"harness": mine, _BY_HAND: theirs},
        met=mine <= limit if isinstance(mine, float) else None,
        ratio=ratio,
        ratio_to="" if ratio is None else _BY_HAND,
    )


def _work(repeats: int) -> dict[str, float]:
    """Return what takes how long in a stack that is up: seconds, and milliseconds of a wait."""
    with _Graph("protocol") as tool:
        tool.timed("up", "-q")
        path = ("--path", str(_SUBGRAPH))
        tool.timed("action", "run", "network.build-subgraph", *path)
        tool.timed("snapshot", "create", "start")
        deployed, restored = [], []
        for _ in range(repeats):  # a deployment that is known already would be synced at once
            restored.append(tool.timed("snapshot", "restore", "start"))
            deployed.append(
                tool.timed("action", "run", "network.deploy-subgraph", *path, "--name", _NAME)
            )
        waited = _wait_ms(tool)
        return {
            "deployed": median(deployed),
            "waited": waited,
            "restored": median(restored),
            "contracts": median(repeated(repeats, _contracts_s, tool)),
            "reset": median(repeated(repeats, tool.timed, "workflow", "run", "reset")),
        }


def _wait_ms(tool: _Graph) -> float:
    done = tool.command(_HARNESS, "--json", "status")
    services = {service["name"]: service for service in json.loads(done)["services"]}
    node = services["graph-node"]["endpoints"]
    urls = [services["chain"]["endpoints"]["rpc"]["url"]]
    urls += [node[port]["url"] for port in ("query", "admin", "status")]
    program = PROGRAMS / "graph_wait.py"
    return float(tool.command(sys.executable, program, *urls, _NAME))


def _contracts_s(tool: _Graph) -> float:
    """Return how long the task takes on a chain that has none of them."""
    tool.timed("action", "run", "chain.reset")
    tool.timed("action", "run", "chain.mine")
    done = json.loads(tool.command(_HARNESS, "--json", "task", "run", "contracts"))
    began, ended = (datetime.fromisoformat(done[at]) for at in ("started_at", "ended_at"))
    return (ended - began).total_seconds()


def _demo_s() -> float:
    """Return how long the demonstration takes, on the user's own cache, as users see it."""
    done = run([_SHIPPED / "demo.sh"], env=dict(os.environ), cwd=PROJECT, timeout_s=120.0)
    if done.status != 0:
        raise ToolFailed(done.stderr.decode(errors="replace").strip()[-300:])
    return done.took_s


def measure_graph(context: Context) -> list[Line]:
    """What integration tests of subgraphs wait for."""
    if "harness" not in context.tools:
        return []
    found = attempt(context, "harness: work in the protocol's stack", _work, context.repeats)

    def line(name: str, what: str, unit: str, limit: float) -> Line:
        return _line(what, unit, limit, found if isinstance(found, str) else found[name])

    return [
        *_stacks(context),
        line("contracts", "the protocol's 19 contracts, deployed before, verified", "s", 0.3),
        line("deployed", "`network.deploy-subgraph` of a built subgraph, until synced", "s", 1.5),
        line("waited", "a wait for a block returns after graph-node serves it", "ms", 100.0),
        line("restored", "`snapshot restore` of chain, database and journal", "s", 1.0),
        line("reset", "`workflow run reset`: chain, contracts, database anew", "s", 3.0),
        _line("`make demo`", "s", 20.0, attempt(context, "the demonstration", _demo_s)),
    ]


ROWS = (Row(name="graph", measure=measure_graph),)
"""All rows, in the order of the table."""
