"""Ports a unit asks for, and the endpoints it gets."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Endpoint", "PortProtocol", "PortSpec"]


class PortProtocol(StrEnum):
    """Transport of a port."""

    TCP = "tcp"
    UDP = "udp"


@dataclass(frozen=True, slots=True, kw_only=True)
class PortSpec:
    """A port as the stack file asks for it.

    Attributes:
        name: how references and `harness port` call it; an unnamed one is named by its number.
        host: port on the host, 1 to 65535, or None for `auto`.
        container: port inside a container, or None: the same as on the host.
        protocol: tcp or udp.
        scheme: URL scheme of `${svc.urls.NAME}`, for example http or postgresql.
        address: address to listen on or publish at.
    """

    name: str
    host: int | None
    container: int | None = None
    protocol: PortProtocol = PortProtocol.TCP
    scheme: str | None = None
    address: str = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a running unit can be reached, as seen from the harness's own host."""

    name: str
    host: str
    port: int
    scheme: str | None = None
    path: str = ""
    protocol: PortProtocol = PortProtocol.TCP

    @property
    def url(self) -> str:
        """The endpoint as a URL; `tcp` or `udp` stands where no scheme is known."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme or self.protocol.value}://{host}:{self.port}{self.path}"
