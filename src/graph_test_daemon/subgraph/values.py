"""Values of placeholders as stack files give them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from graph_test_daemon.errors import GraphError

__all__ = ["Addresses", "read_addresses"]

Addresses = Mapping[str, str] | str
"""Name → address; or JSON of that, as `${tasks.NAME.outputs.addresses}` is filled in."""


def read_addresses(given: Addresses) -> Mapping[str, str]:
    """Return addresses by name.

    Raises:
        GraphError: it is a text that is no JSON of them.
    """
    if not isinstance(given, str):
        return given
    try:
        read = json.loads(given)
    except ValueError:
        read = None
    if not isinstance(read, dict):
        raise GraphError(
            "cannot read the addresses: they are neither a map nor JSON of one",
            hint="write ${tasks.NAME.outputs.addresses}",
        )
    return read
