"""A plugin for tests: a counter that services of the type `toy` have, and one of the daemon."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import anyio

from harness.actions import (
    ActionSet,
    Call,
    Duration,
    Service,
    ServiceType,
    Task,
    TaskCall,
    TaskType,
    action,
)
from harness.errors import ActionError
from harness.plugins import hookimpl
from harness.workflows import (
    ForEach,
    If,
    Parallel,
    Param,
    Sequence,
    Set,
    Sleep,
    StepCall,
    Uses,
    Workflow,
    WorkflowStep,
)


class Step(StrEnum):
    """How far a count goes at once."""

    ONE = "one"
    TEN = "ten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """The counter has moved."""

    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Strange:
    """What no JSON value stands for."""

    thing: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Where the counter was, and where it is."""

    before: int
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Part of a parameter."""

    low: int
    high: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """All parameters of an action as one."""

    text: str
    window: Window = field(default_factory=lambda: Window(low=0))


class Toy(ServiceType):
    """A counter."""

    name = "toy"
    value = 0

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.cancelled = anyio.Event()

    @action(events=[Counted])
    async def count(self, call: Call, *, times: int = 1, step: Step = Step.ONE) -> Count:
        """Count on.

        Each step is told.

        Args:
            times: how often,
                at least once.
            step: how far at once.
        """
        if times < 1:
            raise ActionError("cannot count: times must be at least 1", hint="give more")
        before = self.value
        for _ in range(times):
            self.value += 10 if step is Step.TEN else 1
            await call.emit(Counted(value=self.value))
        return Count(before=before, now=self.value)

    @action()
    async def look_around(self, at: str, task: str) -> dict[str, Any]:
        """Tell what is beside it."""
        return {
            "peers": [peer.name for peer in self.service.peers(self.name)],
            "peer": self.service.peer(at).state,
            "outputs": self.service.outputs(task),
            "data": (self.service.data_dir.parent / "data").is_dir(),
            "directory": str(self.service.directory),
        }

    @action()
    async def listen(self, call: Call) -> list[str]:
        """Return what is printed: what there is, then one line that comes."""
        async for stream, line in await self.service.follow_lines(whole_run=True):
            await call.progress("heard")
            if line == b"second":
                return [stream, *self.service.last_lines(2)]
        return []

    @action()
    async def find(self, search: Search) -> list[str]:
        """Find a text."""
        return [search.text] * (search.window.high - search.window.low)

    @action(name="collect")
    async def collect_all(self, names: Several[str], extra: dict[str, int] = {}) -> int:  # noqa: B006
        """Count names."""
        extra["seen"] = extra.get("seen", 0) + len(names)
        return extra["seen"]

    @action(events=[Strange])
    async def tell(self, call: Call, what: str) -> None:
        """Tell what cannot be told."""
        await call.emit(Strange(thing=object()) if what == "strange" else Counted(value=1))

    @action()
    async def wait(self, call: Call) -> None:
        """Wait for ever."""
        await call.progress("waiting", done=0, total=1)
        try:
            await anyio.sleep_forever()
        finally:
            self.cancelled.set()

    @action()
    async def cancelled_once(self) -> None:
        """Wait until waiting was cancelled."""
        await self.cancelled.wait()

    @action(timeout_s=0.05)
    async def dawdle(self) -> None:
        """Take too long."""
        await anyio.sleep_forever()

    @action()
    async def late(self) -> None:
        """Run into a limit of its own."""
        raise TimeoutError("the node did not answer")

    @action()
    async def lie(self) -> int:
        """Return something else than it says."""
        return "much"  # type: ignore[return-value]

    @action()
    async def where(self) -> str:
        """Return the address of the service."""
        return self.service.url()

    @action()
    async def shell(self, line: str, timeout: Duration | None = None) -> str:
        """Run a shell line beside the service; return what it prints."""
        done = await self.service.run("sh", "-c", line, env={"EXTRA": "more"}, timeout_s=timeout)
        return done.stdout.decode()

    @action()
    async def about(self) -> dict[str, object]:
        """Return what a service type can know."""
        service = self.service
        return {
            "name": service.name,
            "project": service.project,
            "state": service.state,
            "ready": service.is_ready,
            "labels": dict(service.labels),
            "colour": service.env.get("COLOUR"),
            "path": service.env.get("PATH"),
        }


class Furnished(ServiceType):
    """Is set up when the file HARNESS_FURNISHED_FILE holds its name, and invalid with `broken`."""

    name = "furnished"
    setup_timeout_s = 5.0
    setup_retries = 1
    setup_events = (Counted,)

    async def is_set_up(self) -> bool:
        """Look into the file."""
        return _furnished().exists() and self.service.name in _furnished().read_text()

    async def set_up(self, call: Call) -> None:
        """Write into the file, once a file `allowed` is beside it."""
        await call.progress("furnishing")
        await call.emit(Counted(value=1))
        allowed = _furnished().with_name("allowed")
        if not allowed.exists():
            raise ActionError("cannot furnish: it is not allowed yet")
        with _furnished().open("a") as file:
            file.write(f"{self.service.name}\n")

    async def validate(self) -> None:
        """Refuse a broken one."""
        if "broken" in _furnished().read_text():
            raise ActionError("cannot use it: it is broken")


def _furnished() -> Path:
    return Path(os.environ["HARNESS_FURNISHED_FILE"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Carved:
    """A letter is done."""

    letter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Carving:
    """What was carved."""

    text: str
    letters: int


class Carve(TaskType):
    """Carves a text into a file, letter by letter."""

    name = "carve"
    events = (Carved,)
    made = 0

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        Carve.made += 1

    async def execute(
        self, call: TaskCall, file: str, text: str, times: int = 1, line: str = ""
    ) -> Carving:
        """Carve a text.

        Args:
            file: where, beside the stack file.
            text: what.
            times: how often.
            line: a shell line that prints letters, in place of carving the text's own.
        """
        await call.progress("carving", done=0, total=times)

        async def letter(line: str) -> None:
            if line.startswith("letter "):
                await call.emit(Carved(letter=line.removeprefix("letter ")))

        script = line or "for letter in $TEXT; do echo letter $letter; done; echo dust >&2"
        await call.run("sh", "-c", script, on_line=letter, env={"TEXT": " ".join(text)})
        (self.task.directory / file).write_text(text * times)
        return await self.outputs(file, text, times)

    async def is_completed(self, file: str, text: str, times: int = 1, line: str = "") -> bool:
        """Look into the file."""
        path = self.task.directory / file
        return path.exists() and path.read_text() == text * times

    async def outputs(self, file: str, text: str, times: int = 1, line: str = "") -> Carving:
        """Return what it says."""
        return Carving(text=(self.task.directory / file).read_text(), letters=len(text) * times)


class Note(TaskType):
    """Leaves a file, and has nothing to tell."""

    name = "note"

    async def execute(self, file: str) -> None:
        """Leave a note."""
        (self.task.directory / file).touch(exist_ok=False)

    async def is_completed(self, file: str) -> bool:
        """Look for it."""
        return (self.task.directory / file).exists()


class Ponder(TaskType):
    """Does what its parameter says; only what is remembered tells that it is done."""

    name = "ponder"

    async def execute(self, call: TaskCall, how: str, on: str = "") -> dict[str, str]:
        """Ponder."""
        match how:
            case "for-ever":
                call.log("pondering")
                await anyio.sleep_forever()
            case "with-a-command":
                await call.run("sh", "-c", "echo begun; sleep 1000 & sleep 1000")
            case "in-vain":
                raise ActionError("cannot ponder: there is nothing to ponder on")
            case "by-mistake":
                raise KeyError("thought")
            case "no-more":
                sys.exit("no more")
            case "aloud":
                toys = ", ".join(service.name for service in self.task.peers("toy"))
                return {"toys": toys, "notes": str(self.task.data_dir.is_dir())}
            case _:
                pass
        return {"state": self.task.service(on).state} if on else {}


class Daemon(ActionSet):
    """Of no service."""

    @action()
    async def add(self, a: int, b: int = 2, negate: bool = False) -> int:
        """Add numbers."""
        return -(a + b) if negate else a + b


@hookimpl
def harness_service_types() -> list[type[ServiceType]]:
    """Bring the toys."""
    return [Toy, Furnished]


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidOptions:
    """What a note says."""

    text: str
    times: int = 1


class SayNote(WorkflowStep):
    """Say something several times."""

    name = "note"
    options = SaidOptions

    async def run(self, call: StepCall) -> dict[str, object]:
        """Return what is said."""
        if call.options.text == "defect":
            raise RuntimeError("a defect")
        return {"said": [call.options.text] * call.options.times, "step": call.step}


@hookimpl
def harness_workflow_steps() -> list[type[WorkflowStep]]:
    """Bring notes."""
    return [SayNote]


@hookimpl
def harness_workflows() -> list[Workflow]:
    """Bring a workflow in Python."""
    return [
        Workflow(
            "noted",
            [
                Parallel([Uses("note", {"text": "${params.text}"}, name="one"), Sleep(0)]),
                If("size(steps.one.outputs.said) == 1", [Set({"seen": "${steps.one.outputs}"})]),
                Sequence([ForEach([1, 2], [Uses("note", {"text": "${item}!"}, name="two")])]),
            ],
            parameters={"text": Param(default="hello")},
        )
    ]


@hookimpl
def harness_task_types() -> list[type[TaskType]]:
    """Bring what carves."""
    return [Carve, Note, Ponder]


@hookimpl
def harness_daemon_actions() -> list[type[ActionSet]]:
    """Bring addition."""
    return [Daemon]
