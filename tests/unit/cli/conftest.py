"""A client that answers from a script, and a way to run the program against it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from inspect import isawaitable
from pathlib import Path
from typing import Any

import anyio
import click
import pytest
from click.testing import CliRunner, Result

from harness.cli.program import HARNESS
from harness.cli.root import harness
from harness.cli.session import Session
from harness.errors import DaemonUnavailable, HarnessError

Answer = Any


def unit(name: str, **facts: Any) -> dict[str, Any]:
    """Return the status of a running service, with other facts as given."""
    return {
        "name": name,
        "kind": "service",
        "type": "process",
        "state": "running",
        "health": "none",
        "ready": True,
        "goal": "up",
        "pid": 4711,
        "container": None,
        "node": None,
        "restarts": 0,
        "exit_code": None,
        "started_at": "2026-01-31T12:00:00+00:00",
        "endpoints": {},
        "depends_on": [],
        "message": None,
        "next_try_at": None,
        "outputs": {},
        "completed_at": None,
        **facts,
    }


def event(number: int, kind: str, *, unit: str | None = None, **data: Any) -> dict[str, Any]:
    """Return an event of the project shop."""
    return {
        "number": number,
        "at": f"2026-01-31T12:00:{number % 60:02d}+00:00",
        "kind": kind,
        "project": "shop",
        "unit": unit,
        "data": data,
    }


@dataclass
class Process:
    """A command that a fake daemon runs."""

    output: list[dict[str, Any]] = field(default_factory=list)
    exit_code: int | None = 0
    exit_signal: int | None = None
    written: list[bytes] = field(default_factory=list)
    stdin_closed: anyio.Event | None = None

    async def __aiter__(self) -> AsyncIterator[dict[str, Any]]:
        for item in self.output:
            yield item
        if self.stdin_closed is not None:
            await self.stdin_closed.wait()

    async def write(self, data: bytes) -> None:
        self.written.append(data)

    async def close_stdin(self) -> None:
        if self.stdin_closed is not None:
            self.stdin_closed.set()

    async def signal(self, signal: str) -> None:
        self.written.append(signal.encode())


class Noun:
    """Methods of one noun: answers from the script, and remembers the calls."""

    def __init__(self, name: str, client: FakeClient) -> None:
        self._name = name
        self._client = client

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        method = f"{self._name}.{verb}"

        async def call(**params: Any) -> Any:
            self._client.calls.append((method, params))
            answer = self._client.answer(method, params)
            return await answer if isawaitable(answer) else answer

        @asynccontextmanager
        async def stream(**params: Any) -> AsyncIterator[Any]:
            self._client.calls.append((method, params))
            answer = self._client.answer(method, params)
            yield answer if hasattr(answer, "__aiter__") else _stream(answer)

        return stream if method in ("events.subscribe", "logs.read", "exec.run") else call


async def _stream(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


class FakeClient:
    """Answers what `answers` says: a value, an error, or a function of the parameters."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.running = True
        self.starts: list[bool] = []
        self.sources: list[Mapping[str, Any] | None] = []
        self.answers: dict[str, Answer] = {
            "projects.resolve": lambda project, **_: {"name": project or "shop", "others": []}
        }

    def __getattr__(self, noun: str) -> Noun:
        return Noun(noun, self)

    def answer(self, method: str, params: Mapping[str, Any]) -> Any:
        answer = self.answers[method]
        if isinstance(answer, HarnessError):
            raise answer
        return answer(**params) if callable(answer) else answer

    def calls_of(self, method: str) -> list[Mapping[str, Any]]:
        return [params for name, params in self.calls if name == method]

    @asynccontextmanager
    async def connect(
        self, _: Session, start: bool, source: Mapping[str, Any] | None
    ) -> AsyncIterator[FakeClient]:
        self.sources.append(source)
        self.starts.append(start)
        if not self.running:
            raise DaemonUnavailable(
                "cannot reach the daemon: nothing listens", details={"not_running": True}
            )
        yield self


class Cli:
    """The program in this process, against a fake client."""

    def __init__(self) -> None:
        self.client = FakeClient()
        self.program = HARNESS

    def __call__(
        self, *arguments: str, stdin: bytes | None = None, env: dict[str, str] | None = None
    ) -> Result:
        connector: Any = self.client.connect
        session = Session(connector=connector, program=self.program)
        runner = CliRunner(catch_exceptions=False)
        return runner.invoke(harness, list(arguments), obj=session, input=stdin, env=env)

    def operation(
        self, verb: str, *, events: Iterable[Mapping[str, Any]] = (), **ended: Any
    ) -> None:
        """Script an operation: its reference, its events, its end, and the units after it."""
        reference = {"id": "op-1", "project": "shop", "after": 7}
        method = verb if "." in verb else f"services.{verb}"
        self.client.answers[method] = reference
        self.client.answers["events.subscribe"] = [
            event(8, "operation-started", id="op-1", verb=verb, units=["db", "web"]),
            *events,
            event(59, "operation-finished", id="op-1", outcome="done"),
        ]
        self.client.answers["operations.wait"] = {
            "id": "op-1",
            "verb": verb,
            "project": "shop",
            "state": "done",
            "error": None,
            "results": [],
            **ended,
        }
        self.client.answers.setdefault(
            "services.status", {"project": "shop", "services": [unit("db"), unit("web")]}
        )


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run the program in an empty directory, unmoved by the caller's environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("HARNESS_FILE", "HARNESS_PROJECT", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HARNESS_STATE_DIR", str(tmp_path / "state"))
    return Cli()


@pytest.fixture
def make_unit() -> Callable[..., dict[str, Any]]:
    return unit


@pytest.fixture
def make_event() -> Callable[..., dict[str, Any]]:
    return event


@pytest.fixture
def make_process() -> type[Process]:
    return Process


@pytest.fixture
def commands() -> dict[str, click.Command]:
    """Every command and group of the program, by its words."""
    found: dict[str, click.Command] = {}

    def walk(group: click.Group, words: tuple[str, ...]) -> None:
        context = click.Context(group, obj=Session())
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found[" ".join((*words, name))] = command
            if isinstance(command, click.Group):
                walk(command, (*words, name))

    walk(harness, ())
    return found
