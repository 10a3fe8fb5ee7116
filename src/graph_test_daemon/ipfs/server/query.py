"""What a request asks for: arguments and options, as Kubo reads them from the address."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from starlette.datastructures import QueryParams

from graph_test_daemon.ipfs.cid import Base, Cid
from graph_test_daemon.ipfs.errors import InvalidCid

from .faults import BadRequest

__all__ = ["Query", "content_path", "encoder"]

_TRUE = frozenset({"true", "1", "t", "True", "TRUE", "T", ""})
_FALSE = frozenset({"false", "0", "f", "False", "FALSE", "F"})


class Query:
    """The options of one request.

    Args:
        params: behind the question mark.
    """

    def __init__(self, params: QueryParams) -> None:
        self._params = params

    @property
    def arguments(self) -> list[str]:
        """What comes without a name, in order."""
        return self._params.getlist("arg")

    def argument(self, name: str) -> str:
        """Return the first argument.

        Raises:
            BadRequest: there is none.
        """
        if not self.arguments:
            raise BadRequest(f'argument "{name}" is required')
        return self.arguments[0]

    def only(self, name: str) -> str:
        """Return the argument of a method that takes one.

        Raises:
            BadRequest: there is none, or there are several.
        """
        if len(self.arguments) > 1:
            raise BadRequest(
                f'one argument "{name}" is supported, and {len(self.arguments)} are given'
            )
        return self.argument(name)

    def text(self, name: str, default: str = "") -> str:
        """Return an option."""
        return self._params.get(name, default)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return whether an option is on.

        Raises:
            BadRequest: its value is neither yes nor no.
        """
        value = self._params.get(name)
        if value is None:
            return default
        if value in _TRUE:
            return True
        if value in _FALSE:
            return False
        raise self._wrong(name, value, "bool")

    def number(self, name: str, default: int) -> int:
        """Return an option that is a number.

        Raises:
            BadRequest: it is none.
        """
        value = self._params.get(name)
        if value is None:
            return default
        try:
            return int(value)
        except ValueError as error:
            raise self._wrong(name, value, "int") from error

    def having(self, name: str, value: str) -> Query:
        """Return the same query with one more option."""
        return Query(QueryParams([*self._params.multi_items(), (name, value)]))

    def _wrong(self, name: str, value: str, kind: str) -> BadRequest:
        return BadRequest(f'invalid value for option {name!r}: "{value}" is no {kind}')


def content_path(text: str) -> tuple[Cid, tuple[str, ...]]:
    """Return what a path begins at, and the names that lead on from there.

    Raises:
        InvalidCid: it begins at no content.
    """
    rest = text
    for prefix in ("ipfs://", "/ipfs/"):
        if text.startswith(prefix):
            rest = text.removeprefix(prefix)
            break
    else:
        if text.startswith(("/ipns/", "ipns://")):
            raise InvalidCid(text=text, cause="names of IPNS cannot be looked up here")
    root, *names = rest.strip("/").split("/")
    return Cid.parse(root), tuple(name for name in names if name)


def encoder(query: Query) -> Callable[[Cid], str]:
    """Return how the answer writes identifiers.

    Raises:
        BadRequest: it is another base than the ones that are known.
    """
    name = query.text("cid-base")
    if not name:
        return str
    for base in get_args(Base):
        if name == base:
            # Version 0 has one form only; another base makes it version 1, as Kubo has it.
            return lambda cid: (cid if base == "base58btc" else cid.as_version(1)).written(base)
    raise BadRequest(f'unknown multibase encoding "{name}"; it is {", ".join(get_args(Base))}')
