"""A plugin for tests: ledgers, which keep numbers in memory and on disk and can be snapshotted.

A ledger that follows another one writes every number there first. Which step is to fail or to hang
is said by files in the directory that the label `dir` of the service names: `fail-restore-book`.
"""

from __future__ import annotations

from pathlib import Path

import anyio

from harness.actions import Call, ServiceType
from harness.errors import ActionError
from harness.plugins import hookimpl

LEDGER = '''\
"""Keeps numbers: `ledger.py PORT FILE [PORT OF ANOTHER]`. One line a connection, one answer."""
import json, os, socket, sys

port, path, *other = sys.argv[1:]
entries = json.load(open(path)) if os.path.exists(path) else []
held = False

def keep():
    with open(path + ".new", "w") as file:
        json.dump(entries, file)
    os.replace(path + ".new", path)

def ask(port, line):
    with socket.create_connection(("127.0.0.1", int(port))) as connection:
        connection.sendall(line.encode() + b"\\n")
        return connection.makefile().readline().strip()

def answer(word, *rest):
    global entries, held
    if word == "add":
        if held or (other and ask(other[0], "add " + rest[0]) != "ok"):
            return "held"
        entries.append(int(rest[0]))
        keep()
    elif word == "read":
        return json.dumps(entries)
    elif word in ("quiesce", "resume"):
        held = word == "quiesce"
    elif word == "state":
        return "held" if held else "open"
    elif word == "dump":
        json.dump(entries, open(rest[0], "w"))
    elif word == "load":
        entries = json.load(open(rest[0]))
        keep()
    return "ok"

with socket.create_server(("127.0.0.1", int(port))) as server:
    while True:
        connection, _ = server.accept()
        with connection:
            words = connection.makefile().readline().split()
            if words:
                connection.sendall(answer(*words).encode() + b"\\n")
'''


class Ledger(ServiceType):
    """A ledger."""

    name = "ledger"
    snapshot_timeout_s = 30.0

    async def quiesce(self, call: Call) -> None:
        """Refuse what comes."""
        await self._step("quiesce")
        await self.ask("quiesce")
        await call.progress("quiesced")

    async def resume(self, call: Call) -> None:
        """Take what comes."""
        await self._step("resume")
        await self.ask("resume")

    async def snapshot(self, call: Call, directory: Path) -> None:
        """Write all numbers."""
        await self._step("snapshot")
        await self.ask(f"dump {directory / 'entries.json'}")

    async def restore(self, call: Call, directory: Path) -> None:
        """Read all numbers."""
        await self._step("restore")
        await self.ask(f"load {directory / 'entries.json'}")

    async def ask(self, line: str) -> str:
        """Have the ledger answer one line."""
        endpoint = next(iter(self.service.endpoints.values()))
        async with await anyio.connect_tcp(endpoint.host, endpoint.port) as stream:
            await stream.send(f"{line}\n".encode())
            return (await stream.receive()).decode().strip()

    async def _step(self, verb: str) -> None:
        directory = anyio.Path(self.service.labels["dir"])
        step = f"{verb}-{self.service.name}"
        with (Path(str(directory)) / "steps").open("a") as file:
            file.write(f"{step}\n")
        if await (directory / f"fail-{step}").exists():
            raise ActionError(f"cannot {verb}: the test says so")
        if await (directory / f"hang-{step}").exists():
            await anyio.sleep_forever()


@hookimpl
def harness_service_types() -> list[type[ServiceType]]:
    """Bring the types."""
    return [Ledger]
