"""What is refused of a chain of grafts before anything is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from graph_test_daemon.network.actions.grafts import GraftActions, GraftChainStep
from harness.actions import Call, Service
from harness.errors import InvalidParameters

STEPS = [GraftChainStep(path=Path("a"))]


async def refused(**parameters: Any) -> str:
    actions = GraftActions(cast("Service", None))
    with pytest.raises(InvalidParameters) as caught:
        await actions.graft_chain(cast("Call", None), "base", "chain", **parameters)
    return str(caught.value)


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"count": 10}, "`count`"),
        ({"manifest": "subgraph.yaml"}, "`manifest`"),
        ({"fill_in": ["mapping.ts"]}, "`fill_in`"),
        ({"count": 2, "fill_in": ["mapping.ts"]}, "`count`, `fill_in`"),
    ],
)
async def test_what_steps_have_of_their_own_is_not_said_beside_them(
    setting: dict[str, Any], named: str
) -> None:
    told = await refused(steps=STEPS, **setting)
    assert told == f"cannot use {named} with `steps`: each step has its own"


async def test_a_chain_is_of_a_directory_or_of_steps() -> None:
    assert "no directory and no steps" in await refused()
    assert "both a directory and steps" in await refused(steps=STEPS, path=Path("a"))
    assert "no grafts" in await refused(path=Path("a"), count=0)
