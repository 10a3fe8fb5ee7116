"""Where a daemon is to listen for clients of other machines, as options say it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

__all__ = ["Address", "listen_options"]

F = TypeVar("F", bound=Callable[..., Any])

_LAST_PORT = 65_535


class Address(NamedTuple):
    """A host and a port of it; port 0 is any that is free."""

    host: str
    port: int


if TYPE_CHECKING:
    _AddressType = click.ParamType[Address]
else:
    # Older versions of click have no generic parameter types.
    _AddressType = click.ParamType


class _Listen(_AddressType):
    name = "address"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Address:
        if isinstance(value, Address):
            return value
        host, _, port = value.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        is_port = port.isascii() and port.isdigit() and int(port) <= _LAST_PORT
        if not bare or not is_port or (":" in bare and bare == host):
            self.fail(f"{value!r} is no address; write for example 127.0.0.1:7443 or [::1]:0")
        return Address(bare, int(port))


def listen_options(function: F) -> F:
    """Take `listen` and `no_listen`, of which only one may be given."""

    def exclusive(context: click.Context, _: click.Parameter, value: bool) -> bool:
        if value and context.params.get("listen") is not None:
            raise click.UsageError("--listen and --no-listen exclude each other")
        return value

    function = click.option(
        "--no-listen",
        is_flag=True,
        callback=exclusive,
        help="Serve this machine alone, from now on.",
    )(function)
    return click.option(
        "--listen",
        metavar="HOST:PORT",
        type=_Listen(),
        is_eager=True,
        help="Serve clients of other machines there, through TLS; port 0 is any that is free.",
    )(function)
