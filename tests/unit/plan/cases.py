"""Edges and graphs that several tests of the plan are made of."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from harness.model import Condition, Dependency

__all__ = ["acyclic_edges", "edge", "unhurried"]

# How long an example takes depends on what else the machine does.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def edge(on: str, condition: Condition = Condition.STARTED, **more) -> Dependency:
    return Dependency(on=on, condition=condition, **more)


@st.composite
def acyclic_edges(draw, *, fewest: int = 0):
    """Units with edges only to those of a lower rank; the file order is another one."""
    count = draw(st.integers(fewest, 12))
    ranked = [f"u{n}" for n in range(count)]
    edges = {
        name: draw(st.lists(st.sampled_from(ranked[:rank]), max_size=4)) if rank else []
        for rank, name in enumerate(ranked)
    }
    return {name: edges[name] for name in draw(st.permutations(ranked))}
