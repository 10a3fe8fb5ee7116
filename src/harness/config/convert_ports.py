"""Ports as a file says them to `PortSpec`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.model import PortProtocol, PortSpec

from .problems import Site
from .schema_raw import RawPort

__all__ = ["ports"]

_FORMS = 'a number, "auto", "auto:80", "8080:80" or "127.0.0.1:8080:80", each with /udp if need be'


def ports(
    raw: Mapping[str, int | str | RawPort] | tuple[int | str, ...], site: Site
) -> dict[str, PortSpec]:
    """Return name → port, in file order; what is wrong is reported.

    A port in a list is named by its number, inside the container if that is given; when that name
    is taken, by its number on the host.
    """
    result: dict[str, PortSpec] = {}
    if isinstance(raw, Mapping):
        for name, value in raw.items():
            spec = _named(name, value, site.at(name))
            if spec is not None:
                result[name] = spec
        return result
    for index, value in enumerate(raw):
        spec = _parse(value, None, site.at(index))
        if spec is not None and spec.name in result and spec.host is not None:
            spec = replace(spec, name=str(spec.host))
        if spec is not None and spec.name in result:
            site.at(index).report(
                "config-value", f'there is another port "{spec.name}"',
                "give them names: ports: {http: 8080, admin: 8081}",
            )  # fmt: skip
        elif spec is not None:
            result[spec.name] = spec
    return result


def _named(name: str, value: int | str | RawPort, site: Site) -> PortSpec | None:
    if not isinstance(value, RawPort):
        return _parse(value, name, site)
    spec = _parse(value.port, name, site.at("port"))
    if spec is None:
        return None
    container = spec.container
    if value.container is not None:
        if container is not None:
            site.at("container").report("config-value", "`port` names a container port already")
        container = _number(str(value.container), site.at("container"))
    return PortSpec(
        name=name,
        host=spec.host,
        container=container,
        protocol=PortProtocol(value.protocol) if value.protocol else spec.protocol,
        scheme=value.scheme,
        address=value.address or spec.address,
    )


def _parse(value: int | str, name: str | None, site: Site) -> PortSpec | None:
    text, _, protocol = str(value).partition("/")
    if protocol not in ("", "tcp", "udp"):
        site.report("config-value", f'"{protocol}" is no protocol of a port', "write tcp or udp")
        return None
    address = ""
    if text.count(":") >= 2:
        address, text = _split_address(text)
    host_text, colon, container_text = text.partition(":")
    host = None if host_text == "auto" else _number(host_text, site)
    container = _number(container_text, site) if colon else None
    if (host is None and host_text != "auto") or (colon and container is None):
        return None
    number = container or host
    return PortSpec(
        name=name or (str(number or "auto") + ("/udp" if protocol == "udp" else "")),
        host=host,
        container=container,
        protocol=PortProtocol.UDP if protocol == "udp" else PortProtocol.TCP,
        address=address or "127.0.0.1",
    )


def _split_address(text: str) -> tuple[str, str]:
    """Split `address:host:container`; an IPv6 address stands in brackets."""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]:")
    else:
        address, _, rest = text.partition(":")
    return address, rest


def _number(text: str, site: Site) -> int | None:
    if not text.isascii() or not text.isdigit():
        site.report("config-value", f'"{text}" is no port', f"write {_FORMS}")
        return None
    if not 1 <= int(text) <= 65535:
        hint = "write auto for a free port" if int(text) == 0 else None
        site.report("config-value", f"a port is a number from 1 to 65535, not {text}", hint)
        return None
    return int(text)
