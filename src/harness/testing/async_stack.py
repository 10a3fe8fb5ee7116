"""A running stack, as a test drives it: short verbs, and errors that explain themselves.

For tests with an event loop; `Stack` has the same without one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import anyio

from harness.client import Client, as_it_is_now
from harness.errors import (
    CommandFailed,
    CommandTimeout,
    HarnessError,
    InvalidParameters,
    OperationError,
    OperationFailed,
    UnknownService,
    WaitTimeout,
)
from harness.explanations import describe
from harness.model import EventKind
from harness.suggestions import guess

__all__ = ["AsyncService", "AsyncStack", "Executed", "Target", "explained", "finished"]

Target = Literal["healthy", "started", "stopped", "completed"]
Event = Mapping[str, Any]

__tracebackhide__ = True  # to pytest: a test's author looks at the test

WAIT_S = 60.0
_SHOWN_BYTES = 4_000
_SHOWN_KINDS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Executed:
    """A command that has ended.

    Attributes:
        exit_code: as a shell shows it: 128 and the signal's number when one ended it.
        stdout: what it printed; bytes that are no UTF-8 are replaced.
        stderr: the same.
    """

    exit_code: int
    stdout: str
    stderr: str


class AsyncStack:
    """A project that is up.

    Args:
        client: of its daemon.
        project: its name.
        mark: number of an event; those after it are new to this test.
    """

    def __init__(self, client: Client, *, project: str, mark: int = 0) -> None:
        self.client = client
        self.project = project
        self.mark = mark

    def __getitem__(self, name: str) -> AsyncService:
        """Return one of its services or tasks; a wrong name is told at the first call."""
        return AsyncService(self, name)

    async def status(self) -> dict[str, dict[str, Any]]:
        """Return every unit's row of `harness status`, by name, in the file's order."""
        document = await self.client.services.status(project=self.project)
        return {unit["name"]: dict(unit) for unit in document["services"]}

    async def unit(self, name: str) -> dict[str, Any]:
        """Return one row.

        Raises:
            UnknownService: the stack has none of that name.
        """
        rows = await self.status()
        if name not in rows:
            raise UnknownService.of(name, rows)
        return rows[name]

    async def action(self, name: str, /, **parameters: Any) -> Any:
        """Run an action, `service.action`, to its end; return its result.

        Raises:
            ActionNotFound, InvalidParameters, ActionFailed: why it did not come to one.
        """
        service, dot, action = name.partition(".")
        if not dot:
            raise InvalidParameters(
                f'cannot run "{name}": it names no service', hint=f'write "SERVICE.{name}"'
            )
        return await self.client.actions.run(
            action=action, service=service, project=self.project, parameters=parameters
        )

    async def wait_for(
        self, name: str, target: Target = "healthy", timeout_s: float = WAIT_S
    ) -> None:
        """Return once a unit has reached the target.

        Raises:
            WaitTimeout: not in time; the text says why, as `harness why` does.
        """
        await self.unit(name)
        try:
            await self.client.services.wait(
                project=self.project, units=[name], target=target, timeout_s=timeout_s
            )
        except OperationError as error:
            raise await explained(self, error, [name]) from None

    async def wait_for_event(
        self,
        kind: str | None = None,
        *,
        unit: str | None = None,
        match: Callable[[Event], bool] | None = None,
        timeout_s: float = WAIT_S,
        after: int | None = None,
    ) -> Event:
        """Return the first event that fits, of those since the test began.

        Args:
            kind: such as `health-changed`; None: any.
            unit: of this unit; None: any.
            match: and this is true of it.
            timeout_s: for the whole wait.
            after: of those with higher numbers than this one instead.

        Raises:
            WaitTimeout: none came in time; the text says what came instead.
            InvalidParameters: there are no events of that kind.
            UnknownService: the stack has no such unit.
        """
        if kind is not None and kind not in list(EventKind):
            raise InvalidParameters(
                f'cannot wait for "{kind}": there are no such events',
                hint=guess(kind, EventKind) or "`harness events` shows some",
            )
        if unit is not None:
            await self.unit(unit)
        start = self.mark if after is None else after
        others: Counter[str] = Counter()
        with anyio.move_on_after(timeout_s):
            async with self.client.events.subscribe(after=start, project=self.project) as events:
                async for event in events:
                    if (
                        kind in (None, event["kind"])
                        and unit in (None, event["unit"])
                        and (match is None or match(event))
                    ):
                        return event
                    others[" of ".join(filter(None, [event["kind"], event["unit"]]))] += 1
        wanted = " ".join(filter(None, [kind or "any event", unit and f'of "{unit}"']))
        suffix = " that matches" if match else ""
        text = f"cannot go on: there was no {wanted}{suffix} within {timeout_s:g} s"
        if others:
            came = ", ".join(f"{count} {name}" for name, count in others.most_common(_SHOWN_KINDS))
            text += f"; what came: {came}"
        error = WaitTimeout(text)
        raise await explained(self, error, [unit] if unit else [])

    async def outputs(self, task: str) -> dict[str, Any]:
        """Return what a task that has completed has put out."""
        outputs: dict[str, Any] = (await self.unit(task))["outputs"]
        return outputs

    async def why(self, name: str) -> str:
        """Return why a unit is as it is, in words."""
        return "\n".join(describe(await self.client.services.why(project=self.project, unit=name)))

    async def logs(
        self,
        *names: str,
        tail: int | None = None,
        since: str | None = None,
        grep: str | None = None,
    ) -> str:
        """Return the output of units, or of all, as text; the arguments are those of `logs.read`.

        Where it is of several units each line has its unit's name before it.
        """
        texts: list[str] = []
        async with self.client.logs.read(
            project=self.project, units=names, tail=tail, since=since, grep=grep
        ) as chunks:
            async for chunk in chunks:
                text = chunk["text"].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
                if len(names) != 1:
                    lines = text.splitlines(keepends=True)
                    text = "".join(f"{chunk['unit']} | {line}" for line in lines)
                texts.append(text)
        return "".join(texts)

    async def change(self, verb: Literal["start", "stop", "restart"], names: Sequence[str]) -> None:
        """Start, stop or restart units, or all, and wait until that is done.

        Raises:
            OperationFailed: it was not; the text says why.
        """
        call = getattr(self.client.services, verb)
        await finished(self, await call(project=self.project, units=names))

    async def snapshot(self, name: str) -> None:
        """Take a snapshot of the whole stack."""
        begun = await self.client.snapshots.create(project=self.project, name=name)
        await finished(self, begun)

    async def restore(self, name: str) -> None:
        """Make the stack as it was when the snapshot was taken; return when it is ready again."""
        begun = await self.client.snapshots.restore(project=self.project, name=name)
        await finished(self, begun)


class AsyncService:
    """One service or task of a stack."""

    def __init__(self, stack: AsyncStack, name: str) -> None:
        self._stack = stack
        self.name = name

    async def status(self) -> dict[str, Any]:
        """Return its row of `harness status`."""
        return await self._stack.unit(self.name)

    async def endpoint(self, name: str | None = None) -> dict[str, Any]:
        """Return {host, port, url} of one of its ports; without a name, of the only one.

        Raises:
            InvalidParameters: it has none of that name, or more than one.
        """
        endpoints: dict[str, dict[str, Any]] = (await self.status())["endpoints"]
        if name is None and len(endpoints) == 1:
            return next(iter(endpoints.values()))
        if name is not None and name in endpoints:
            return endpoints[name]
        what = f'"{name}"' if name else "one port" if endpoints else "any port"
        known = ", ".join(endpoints) or "none; they are known once it runs"
        hint = guess(name or "", endpoints) or f"its ports: {known}"
        raise InvalidParameters(f'cannot tell {what} of "{self.name}" ({hint})', hint=hint)

    async def logs(
        self, *, tail: int | None = None, since: str | None = None, grep: str | None = None
    ) -> str:
        """Return its output."""
        await self.status()
        return await self._stack.logs(self.name, tail=tail, since=since, grep=grep)

    async def exec(
        self,
        *argv: str,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout_s: float = WAIT_S,
    ) -> Executed:
        """Run a command beside it, with its environment, to the command's end.

        Raises:
            CommandFailed: it ended with another status than 0, and `check` is true.
            CommandTimeout: it has not ended in time, and was ended.
        """
        parts: dict[str, list[bytes]] = {"stdout": [], "stderr": []}
        with anyio.move_on_after(timeout_s) as limit:
            async with self._stack.client.exec.run(
                project=self._stack.project, unit=self.name, argv=argv, env=env
            ) as process:
                async for piece in process:
                    parts[piece["stream"]].append(piece["data"])
        stdout, stderr = (b"".join(pieces).decode("utf-8", "replace") for pieces in parts.values())
        command = " ".join(argv)
        last = (stderr or stdout)[-_SHOWN_BYTES:].rstrip()
        if limit.cancelled_caught:
            raise CommandTimeout(
                command=command, cause=f"it had not ended after {timeout_s:g} s\n{last}".rstrip()
            )
        code = process.exit_code
        if code is None:
            code = 128 + (process.exit_signal or 0)
        if check and code:
            raise CommandFailed(command=command, cause=f"exit status {code}\n{last}".rstrip())
        return Executed(exit_code=code, stdout=stdout, stderr=stderr)

    async def start(self) -> None:
        """Start it, after what it depends on; return when it is ready."""
        await self._stack.change("start", [self.name])

    async def stop(self) -> None:
        """Stop it, after what depends on it; return when nothing of it is left."""
        await self._stack.change("stop", [self.name])

    async def restart(self) -> None:
        """Stop and start it; return when it is ready again."""
        await self._stack.change("restart", [self.name])

    async def kill(self, signal: str = "SIGKILL") -> None:
        """Send it a signal, as a crash would."""
        await self._stack.client.services.signal(
            project=self._stack.project, unit=self.name, signal=signal
        )


async def finished(stack: AsyncStack, operation: Mapping[str, Any]) -> None:
    """Wait for an operation.

    Raises:
        OperationFailed: it did not reach what it was to; the text says why.
    """
    ended: Mapping[str, Any] = await stack.client.operations.wait(id=operation["id"])
    if ended["verb"] != "down":
        status = await stack.client.services.status(project=stack.project)
        ended = as_it_is_now(ended, status["services"])
    error = ended["error"]
    if error is not None:
        failed = [result["unit"] for result in ended["results"] if result["outcome"] == "failed"]
        failure = OperationFailed(error["message"], hint=error["hint"], details=error["details"])
        raise await explained(stack, failure, failed)


async def explained(
    stack: AsyncStack, error: OperationError, units: Sequence[str]
) -> OperationError:
    """Return the error with what `harness why` tells of these units in its text."""
    known = error.details.get("explanations")
    explanations: list[Any] = list(known) if isinstance(known, list | tuple) else []
    for unit in units if not explanations else ():
        try:
            explanations.append(await stack.client.services.why(project=stack.project, unit=unit))
        except HarnessError:
            break  # the error itself is what matters
    told = _told(explanations)
    text = "\n".join([str(error).partition("\n")[0] if told else str(error), *told])
    return type(error)(text, hint=error.hint, details=error.details)


def _told(explanations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return explanations in words: each cause once, then what failed because of it.

    The lease is left out: it is the test's own.
    """
    names = [one["unit"] for one in explanations]
    caused = {
        one["unit"]: [cause["unit"] for cause in one["causes"] if cause["unit"] in names]
        for one in explanations
    }
    lines: list[str] = []
    for one in explanations:
        if not caused[one["unit"]]:
            lines += describe({**one, "lease": None}, depth=1)
    lines += [f"  {name}: because of {', '.join(by)}" for name, by in caused.items() if by]
    return lines
