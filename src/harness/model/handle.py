"""What an executor needs to find a unit again, after any crash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["HANDLE_VERSION", "Handle"]

HANDLE_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Handle:
    """Serialisable reference to one run of one unit.

    Attributes:
        executor: name of the executor that made it and can recover it.
        data: JSON values only the executor understands.
        pid: main process, for people; None where there is none.
        container: container id, for people; None where there is none.
        version: of the layout of `data`; readers refuse a newer one.
    """

    executor: str
    data: Mapping[str, Any]
    pid: int | None = None
    container: str | None = None
    version: int = HANDLE_VERSION
