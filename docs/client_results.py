"""Writes `src/harness/client/results.py`: what the daemon answers, for type checkers and editors.

The types are those that results are validated with, as dictionaries: that is what a client gets.
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from harness.protocol import METHODS, NOTIFICATIONS

TARGET = Path(__file__).parents[1] / "src" / "harness" / "client" / "results.py"
HEAD = '''"""What the daemon answers, as type checkers see it; made by docs/generate.py."""

from __future__ import annotations

from typing import Any, TypedDict

'''
_UNSEEN = (
    "ActionEventNotification", "ActionResult", "DaemonHello", "Empty", "EventNotification",
    "ExecExit", "ExecOutput", "ExecRef", "LogEnd", "LogsPosition", "SubscriptionFailed",
    "SubscriptionRef",
)  # fmt: skip
"""What the client takes itself, and no user of it gets."""

_PLAIN = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    type(None): "None",
    None: "None",
    datetime: "str",
    Any: "Any",
    object: "Any",
}


def text() -> str:
    """Return the module."""
    found: dict[str, type] = {}
    for method in METHODS.values():
        _collect(method.result, found)
    for _, params in NOTIFICATIONS.values():
        _collect(params, found)
    for name in _UNSEEN:
        del found[name]
    names = sorted(found)
    exports = "".join(f'    "{name}",\n' for name in names)
    classes = "\n\n\n".join("\n".join(_class(found[name])) for name in names)
    return f"{HEAD}__all__ = [\n{exports}]\n\n\n{classes}\n"


def shown(of: Any) -> str:
    """Return a type as it is written there."""
    if of in _PLAIN:
        return _PLAIN[of]
    origin, inner = get_origin(of), get_args(of)
    if origin in (Union, types.UnionType):
        return " | ".join(shown(item) for item in inner)
    if origin is Literal:
        return f"Literal[{', '.join(map(_quoted, inner))}]"
    if origin is not None and issubclass(origin, Mapping):
        return f"dict[{', '.join(map(shown, inner))}]"
    if origin is not None and issubclass(origin, Sequence):
        return f"list[{shown(inner[0])}]"
    if dataclasses.is_dataclass(of):
        return str(of.__name__)  # type: ignore[union-attr]
    if isinstance(of, type) and issubclass(of, Enum):
        return "str"
    raise TypeError(f"no dictionary stands for {of!r}")


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _collect(of: Any, found: dict[str, type]) -> None:
    if dataclasses.is_dataclass(of) and isinstance(of, type):
        if of.__name__ not in found:
            found[of.__name__] = of
            for hint in get_type_hints(of).values():
                _collect(hint, found)
        return
    for inner in get_args(of):
        _collect(inner, found)


def _class(of: type) -> Iterator[str]:
    yield f"class {of.__name__}(TypedDict):"
    yield f'    """{(inspect.getdoc(of) or "").splitlines()[0]}"""'
    hints = get_type_hints(of)
    names = [item.name for item in dataclasses.fields(of)]  # type: ignore[arg-type]
    if names:
        yield ""
    yield from (f"    {name}: {shown(hints[name])}" for name in names)
