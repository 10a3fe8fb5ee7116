"""Whatever a stack file says, it loads or is refused; it never breaks the loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.config.stacks import report
from tests.unit.config.test_schema import CASES, document

STACKS = [document(path.read_text()) for path in sorted(CASES.glob("*.yaml"))]
odd: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, "", " ", "x", "${", "${X}", "${a.port}", "${a.b.c}", "$$", "a 'b",
     [], [[]], [None], ["x"], {}, {"x": {}}, {"service": "a"}, {"port": 0}, {"command": []}]
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in a document."""
    if isinstance(value, dict):
        below = list(value.items())
    else:
        below = list(enumerate(value)) if isinstance(value, list) else []
    return [path, *(place for key, item in below for place in places(item, (*path, key)))]


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    if isinstance(value, dict):
        return {k: put(v, path[1:], new) if k == path[0] else v for k, v in value.items()}
    return [put(v, path[1:], new) if i == path[0] else v for i, v in enumerate(value)]


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    stack = draw(st.sampled_from(STACKS))
    for _ in range(draw(st.integers(min_value=1, max_value=3))):
        stack = put(stack, draw(st.sampled_from(places(stack))), draw(odd))
    return stack


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(stack=damaged())
def test_damaged_stack_is_read_or_refused_with_places(stack: Any, tmp_path: Path) -> None:
    found = report(tmp_path, json.dumps(stack))

    assert (found.stack is None) == bool(found.problems)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in found.problems)
    assert all(problem.message and problem.kind for problem in found.problems)
