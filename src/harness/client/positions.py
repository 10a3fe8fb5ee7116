"""How far a reader has come, and what it asks the next daemon for to go on from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

__all__ = ["EventPosition", "LogPosition", "Position"]

Item = tuple[str, Mapping[str, Any]]


class Position(Protocol):
    """Where a subscription is."""

    def params(self) -> Mapping[str, Any]:
        """Return the parameters that it goes on with."""

    def take(self, method: str, params: Mapping[str, Any]) -> Item | None:
        """Note a notification; return what of it is new to the reader, or None."""


class EventPosition:
    """The number of the last event."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = dict(params)

    def params(self) -> Mapping[str, Any]:
        """Return the parameters with that number."""
        return self._params

    def take(self, method: str, params: Mapping[str, Any]) -> Item | None:
        """Note the number of an event; each is new."""
        self._params["after"] = params["event"]["number"]
        return method, params


class LogPosition:
    """Offsets in the output of units, by unit and stream.

    A long chunk comes in pieces, of which the last one has its offset: when it is cut off it comes
    a second time from its beginning, or from later on if that was dropped meanwhile, and what of it
    was seen is left out.
    """

    def __init__(self, params: Mapping[str, Any]) -> None:
        self._params = {**params, "positions": True}
        self._offsets: dict[str, dict[str, int]] = {}
        self._seen: dict[tuple[str, str], int] = {}
        self._come: dict[tuple[str, str], int] = {}

    def params(self) -> Mapping[str, Any]:
        """Return the parameters with those offsets."""
        self._come.clear()
        return {**self._params, "offsets": self._offsets}

    def take(self, method: str, params: Mapping[str, Any]) -> Item | None:
        """Note where a chunk ends."""
        match method:
            case "logs.chunk":
                return method, {**params, "text": self._new(params)}
            case "logs.position":
                for unit, streams in params["offsets"].items():
                    for stream, offset in streams.items():
                        self._note(unit, stream, offset)
                return None
            case _:
                return method, params

    def _new(self, params: Mapping[str, Any]) -> str:
        """Return what the reader has not seen of a piece."""
        unit, stream, text = params["unit"], params["stream"], params["text"]
        key = unit, stream
        if params["end"] is not None and key not in self._seen:
            self._note(unit, stream, params["end"])
            return str(text)
        raw = text.encode("utf-8", "surrogateescape")
        come = self._come[key] = self._come.get(key, 0) + params.get("skipped", 0) + len(raw)
        new = min(len(raw), max(0, come - self._seen.get(key, 0)))
        self._seen[key] = max(come, self._seen.get(key, 0))
        if params["end"] is not None:
            self._note(unit, stream, params["end"])
            del self._come[key]
            left = self._seen.pop(key) - come
            if left:
                self._seen[key] = left  # of the next chunk: this one was shorter than before
        return bytes(raw[len(raw) - new :]).decode("utf-8", "surrogateescape")

    def _note(self, unit: str, stream: str, offset: int) -> None:
        known = self._offsets.setdefault(unit, {})
        known[stream] = max(offset, known.get(stream, 0))
