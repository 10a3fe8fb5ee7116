"""Errors of mappings, taken apart: what went wrong, and then where.

graph-node writes all of it as one text, the transaction and the calls first:

    transaction 90…32: error while executing at wasm backtrace:
        0: 0x2f07 - <unknown>!src/mapping/handleStored: Mapping aborted at src/mapping.ts, line 5,
        column 3, with message: no in handler `handleStored` at block #121 (dc…11)

What has another shape stays as it is: nothing is lost, only put in another order.

Source: graph-node, `MappingError` and `SubgraphError`; seen with version 0.45.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["MappingError", "read_mapping_error"]

_EXECUTING = re.compile(
    r"^(?P<before>[^`]{0,300}?)error while executing at wasm backtrace:"
    r"(?P<frames>(?:\s+\d+:\s+0x[0-9a-f]+ - .+?(?=\s+\d+:\s+0x|: ))+): (?P<text>.*)$",
    re.DOTALL,
)
_FRAME = re.compile(r"\d+:\s+0x[0-9a-f]+ - (.+?)(?=\s+\d+:\s+0x|$)", re.DOTALL)
_BEFORE = re.compile(
    r"(?:failed to process trigger: )?(?:block #\d+ \((?:0x)?[0-9a-f]+\),? )?"
    r"(?:transaction (?P<transaction>[0-9a-f]{64}): )?"
)
_AFTER = re.compile(r" in handler `(?P<handler>[^`]+)` at block #\d+ \([0-9a-f]+\)$")
_MODULE = re.compile(r"^<[^>]*>!")


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingError:
    """What graph-node says of an error.

    Attributes:
        message: what went wrong.
        handler: of the mapping; None: the text does not say.
        transaction: that was handled; None: likewise.
        backtrace: the functions that ran, innermost first; the last one is the handler.
    """

    message: str
    handler: str | None
    transaction: str | None
    backtrace: tuple[str, ...]


def read_mapping_error(text: str) -> MappingError:
    """Take a text of graph-node apart."""
    message, handler, transaction = text, None, None
    backtrace: tuple[str, ...] = ()
    if (after := _AFTER.search(text)) is not None:
        handler, message = after["handler"], text[: after.start()]
    found = _EXECUTING.match(message)
    before = None if found is None else _BEFORE.fullmatch(found["before"])
    if found is not None and before is not None:
        message = _once(found["text"])
        transaction = before["transaction"] and f"0x{before['transaction']}"
        frames = (_MODULE.sub("", frame) for frame in _FRAME.findall(found["frames"]))
        backtrace = tuple(frame.strip() for frame in frames)
        handler = handler or backtrace[-1].rpartition("/")[2]
    return MappingError(
        message=message, handler=handler, transaction=transaction, backtrace=backtrace
    )


def _once(text: str) -> str:
    """Return a text that may be there twice, as `text: text`, once."""
    half, rest = text[: (len(text) - 2) // 2], text[(len(text) - 2) // 2 :]
    return half if rest == f": {half}" else text
