"""Output of services on its way to stdout: as it is, or with the service's name before each line.

A chunk is handled as a whole; nothing is done line by line in Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .moments import clock_time
from .output import Output

__all__ = ["LogPrinter"]

_COLORS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class LogPrinter:
    """Prints chunks of output.

    Args:
        names: names of the units whose output comes; they set the width of the prefix and the
            colours.
        prefix: put the unit's name before each line.
        timestamps: put the time before each line.
    """

    def __init__(
        self, output: Output, *, names: Sequence[str], prefix: bool, timestamps: bool
    ) -> None:
        self._output = output
        self._prefix = prefix
        self._timestamps = timestamps
        self._width = max(map(len, names), default=0)
        self._names = list(names)
        self._prefixes: dict[str, bytes] = {}
        self._open: tuple[str, str] | None = None

    def print(self, chunk: Mapping[str, Any]) -> None:
        """Print one chunk: whole lines, or a last one without its newline.

        What was lost before it is told on stderr, whatever else is unwanted there; as JSON, in the
        next record.
        """
        if self._output.json:
            self._print_records(chunk)
            return
        if lost := chunk.get("skipped"):
            self._tell_lost(chunk, lost)
        data = chunk["text"].encode("utf-8", "surrogateescape")
        if data and (self._prefix or self._timestamps):
            data = self._marked(chunk, data)
        self._output.write(data)

    def end(self) -> None:
        """End a line that was left open, unless output is printed as it is."""
        if self._open is not None:
            self._output.write(b"\n")
            self._open = None

    def _print_records(self, chunk: Mapping[str, Any]) -> None:
        head = {key: chunk[key] for key in ("unit", "stream", "at")}
        lost = {"skipped": chunk["skipped"]} if chunk.get("skipped") else {}
        # Only a newline ends a line; a progress bar's carriage returns are part of it.
        for line in chunk["text"].removesuffix("\n").split("\n"):
            self._output.record({**head, "text": line, **lost})
            lost = {}

    def _tell_lost(self, chunk: Mapping[str, Any], lost: int) -> None:
        self.end()
        text = (
            f"harness: {lost} bytes of {chunk['stream']} of {chunk['unit']} are missing here: its "
            "log was cut to its cap (log_max_size) before they were read\n"
        )
        self._output.write(text.encode(), err=True)

    def _marked(self, chunk: Mapping[str, Any], data: bytes) -> bytes:
        mark = self._mark(chunk)
        source = (chunk["unit"], chunk["stream"])
        ended = data.endswith(b"\n")
        body = data[:-1] if ended else data
        text = body.replace(b"\n", b"\n" + mark)
        if self._open is None:
            text = mark + text
        elif self._open != source:
            text = b"\n" + mark + text
        self._open = None if ended else source
        return text + b"\n" if ended else text

    def _mark(self, chunk: Mapping[str, Any]) -> bytes:
        mark = self._prefix_of(chunk["unit"]) if self._prefix else b""
        if self._timestamps:
            mark += f"{clock_time(chunk['at'], millis=True)} ".encode()
        return mark

    def _prefix_of(self, unit: str) -> bytes:
        known = self._prefixes.get(unit)
        if known is None:
            text = f"{unit.ljust(self._width)} | "
            if self._output.colored():
                if unit not in self._names:
                    self._names.append(unit)
                color = _COLORS[self._names.index(unit) % len(_COLORS)]
                text = f"\x1b[{color}m{text}\x1b[0m"
            known = self._prefixes[unit] = text.encode()
        return known
