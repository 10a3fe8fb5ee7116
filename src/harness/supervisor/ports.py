"""Host ports for units: fixed ones are checked, `auto` ones are found free and remembered."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

from harness.model import PortProtocol, PortSpec

__all__ = ["PortBook", "PortTaken", "assign_ports"]

_Port = tuple[PortProtocol, int]
"""A TCP port and a UDP port of one number are two ports."""


class PortTaken(Exception):
    """A fixed port is in use; the message says by whom."""

    def __init__(self, *, port: int, holder: str) -> None:
        super().__init__(f"port {port} is already in use by {holder}")


def assign_ports(
    wanted: Mapping[str, PortSpec],
    *,
    remembered: Mapping[str, int],
    reserved: Mapping[_Port, str],
) -> dict[str, int]:
    """Return a host port for every wanted one, by name.

    Args:
        wanted: the unit's ports.
        remembered: ports of its last run, taken again for `auto` while they are free.
        reserved: ports of other units, which may not listen yet → who they are.

    Raises:
        PortTaken: a fixed port is in use or reserved.
    """
    assigned: dict[str, int] = {}
    for name, spec in wanted.items():
        own = {(wanted[other].protocol, port) for other, port in assigned.items()}
        taken = {port for protocol, port in reserved.keys() | own if protocol is spec.protocol}
        if spec.host is not None:
            if holder := reserved.get((spec.protocol, spec.host)):
                raise PortTaken(port=spec.host, holder=holder)
            if not _is_free(spec, spec.host):
                raise PortTaken(port=spec.host, holder=_holder(spec))
            assigned[name] = spec.host
            continue
        port = remembered.get(name)
        if port is None or port in taken or not _is_free(spec, port):
            port = _free_port(spec, taken)
        assigned[name] = port
    return assigned


class PortBook:
    """Which ports the units of all projects hold, whether they listen already or not."""

    def __init__(self) -> None:
        self._owner: dict[_Port, str] = {}
        self._ports: dict[str, tuple[_Port, ...]] = {}

    def assign(
        self, owner: str, wanted: Mapping[str, PortSpec], *, remembered: Mapping[str, int]
    ) -> dict[str, int]:
        """Choose ports for `owner` and hold them until it releases them.

        Raises:
            PortTaken: a fixed port is in use or held by another unit.
        """
        self.release(owner)
        assigned = assign_ports(wanted, remembered=remembered, reserved=self._owner)
        self.hold(owner, assigned, wanted)
        return assigned

    def hold(self, owner: str, ports: Mapping[str, int], wanted: Mapping[str, PortSpec]) -> None:
        """Note ports that `owner` has already, such as those of an adopted unit.

        Args:
            owner: who has them.
            ports: their numbers, by name.
            wanted: what they were asked for; one that is not in it any more counts as TCP.
        """
        held = tuple((_protocol(wanted.get(name)), port) for name, port in ports.items())
        self._ports[owner] = held
        self._owner.update(dict.fromkeys(held, owner))

    def release(self, owner: str) -> None:
        """Give up whatever `owner` holds."""
        for port in self._ports.pop(owner, ()):
            self._owner.pop(port, None)


def _protocol(spec: PortSpec | None) -> PortProtocol:
    return PortProtocol.TCP if spec is None else spec.protocol


def _socket(spec: PortSpec) -> socket.socket:
    family = socket.AF_INET6 if ":" in spec.address else socket.AF_INET
    udp = spec.protocol is PortProtocol.UDP
    sock = socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
    if not udp:
        # As servers do: connections of an earlier run in TIME_WAIT do not make a port taken.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return sock


def _is_free(spec: PortSpec, port: int) -> bool:
    with _socket(spec) as sock:
        try:
            sock.bind((spec.address, port))
        except OSError as error:
            # Other errors (no right to a low port, for example) are the service's to report.
            return error.errno != errno.EADDRINUSE
    return True


def _free_port(spec: PortSpec, taken: Collection[int]) -> int:
    while True:
        with _socket(spec) as sock:
            sock.bind((spec.address, 0))
            port = int(sock.getsockname()[1])
        if port not in taken:
            return port


def _holder(spec: PortSpec) -> str:
    """Name the process that listens on a port, as far as this user may see it."""
    inodes = _listening_inodes(spec)
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for entry in Path("/proc").iterdir():
        if wanted and entry.name.isdigit() and _has_descriptor(entry, wanted):
            return f"{_command(entry)} (pid {entry.name})"
    return "another process"


def _command(process: Path) -> str:
    try:
        return (process / "comm").read_text(errors="replace").strip()
    except OSError:
        return "a process"


def _listening_inodes(spec: PortSpec) -> set[str]:
    listening = "0A"
    found = set()
    for table in ("tcp", "tcp6") if spec.protocol is PortProtocol.TCP else ("udp", "udp6"):
        try:
            lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            port = int(columns[1].rpartition(":")[2], 16)
            if port == spec.host and (table.startswith("udp") or columns[3] == listening):
                found.add(columns[9])
    return found


def _has_descriptor(process: Path, wanted: set[str]) -> bool:
    try:
        return any(os.readlink(fd) in wanted for fd in (process / "fd").iterdir())
    except OSError:
        return False
