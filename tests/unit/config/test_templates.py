"""Where a `${…}` in a workflow ends, and which language it is of."""

from __future__ import annotations

import pytest

from harness.config import Hole, holes


def shown(text: str) -> list[tuple[str, bool]]:
    """Return each hole with whether it is of the stack file's own language."""
    return [(p.text, p.stack is not None) for p in holes(text) if isinstance(p, Hole)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${NAME:-it's}", [("${NAME:-it's}", True)]),
        ("${T:?T isn't set}", [("${T:?T isn't set}", True)]),
        ("${A:-it's} and ${B:-it's}", [("${A:-it's}", True), ("${B:-it's}", True)]),
        ("${db.url}/${steps.x.outputs}", [("${db.url}", True), ("${steps.x.outputs}", False)]),
        ("${tasks.t.outputs.k}", [("${tasks.t.outputs.k}", True)]),
        ("${params.s == 'a}b'}!", [("${params.s == 'a}b'}", False)]),
        ("${ {'a': 1}.a }", [("${ {'a': 1}.a }", False)]),
        ("${true}", [("${true}", False)]),
        ("$${no} ${yes}", [("${yes}", True)]),
    ],
)
def test_a_hole_ends_as_its_language_says(text: str, found: list[tuple[str, bool]]) -> None:
    assert shown(text) == found
