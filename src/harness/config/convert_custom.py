"""Health checks that plugins bring, as a file says them, to facts."""

from __future__ import annotations

from collections.abc import Mapping

from harness.model import CheckSpec, CustomCheck

from .nodes import Map, Node, Scalar
from .problems import Site, did_you_mean
from .schema_check import check
from .schema_health import RawCheck
from .static import StaticLookup
from .types import Types

__all__ = ["CustomChecks"]


class CustomChecks:
    """Converts the checks of one stack; plugins are asked when there is one.

    Args:
        types: which checks there are.
        lookup: what `${…}` stands for where no text is wanted.
    """

    def __init__(self, types: Types, lookup: StaticLookup) -> None:
        self._types = types
        self._lookup = lookup

    def check(self, raw: RawCheck, at: Site) -> CheckSpec | None:
        """Return the check below `custom`, or None when it is wrong, which is reported."""
        at = at.at("custom")
        names = [raw.custom] if isinstance(raw.custom, str) else list(raw.custom or ())
        if len(names) != 1:
            what = f"names {' and '.join(names)}" if names else "names no check"
            hint = "put several into a list below `all` or `any`" if names else None
            at.report("config-value", f"{what}; one is wanted", hint)
            return None
        name = names[0]
        known = self._types.checks
        if name not in known:
            hint = did_you_mean(name, known) if known else self._types.broken
            report = at.report if isinstance(raw.custom, str) else at.at(name).report_key
            report("config-unknown-check", f'no plugin brings a check "{name}"', hint)
            return None
        place = at.at(name)
        node = place.node if isinstance(raw.custom, Mapping) else None
        options: object = check(known[name], _map(node, at), place, self._lookup)
        return None if options is None else CustomCheck(kind=name, options=options)


def _map(node: Node | None, at: Site) -> Node:
    """Return a node of options; nothing at all stands for options at their defaults."""
    if node is None or (isinstance(node, Scalar) and node.value is None):
        beside = at.node or at.root
        return Map(mark=beside.mark, entries={})
    return node
