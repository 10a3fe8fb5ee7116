"""The steps that are built in: each does one thing with what the daemon has already."""

from __future__ import annotations

import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Literal, cast

import anyio

from harness.actions import ActionEvent, Catalogue, run_action
from harness.clock import Clock
from harness.commands import Command, collect
from harness.config import (
    ActionOptions,
    ExecOptions,
    HttpOptions,
    SetOptions,
    SleepOptions,
    TaskOptions,
    UnitsOptions,
    WaitOptions,
    as_text,
)
from harness.errors import HarnessError, WorkflowStepFailed
from harness.events import EventBus
from harness.health import MAX_BODY_BYTES, Request, excerpt, exchange
from harness.model import EventKind, Step
from harness.supervisor import Operation, Project, Stacks

from .deadlines import within
from .kinds import StepCall, StepKinds, plain_outputs, read_options
from .scope import Scope
from .trace import StepRecord, Trace

__all__ = ["BUILT_IN", "Doer", "resolved_options"]

_UNRESOLVED = {"wait": ("until", "where")}
"""Options that are expressions: looked at when their time comes."""

_TEXTS = {"exec": ("command", "env"), "http": ("url", "headers", "body")}
"""Options that are texts: another value in them is written as JSON, as inside a text."""

BUILT_IN: Mapping[str, type] = {
    "start": UnitsOptions,
    "stop": UnitsOptions,
    "restart": UnitsOptions,
    "wait": WaitOptions,
    "exec": ExecOptions,
    "http": HttpOptions,
    "action": ActionOptions,
    "task": TaskOptions,
    "sleep": SleepOptions,
    "set": SetOptions,
}
"""Kind → its options."""


class Doer:
    """Does the steps of one run.

    Args:
        project: whose services and tasks they are.
        actions: returns the actions that plugins bring; they are loaded when it is called.
        kinds: returns the kinds of steps that plugins bring.
    """

    def __init__(
        self,
        project: Project,
        *,
        stacks: Stacks,
        bus: EventBus,
        clock: Clock,
        trace: Trace,
        actions: Callable[[], Awaitable[Catalogue]],
        kinds: Callable[[], Awaitable[StepKinds]],
    ) -> None:
        self._project = project
        self._stacks = stacks
        self._bus = bus
        self._clock = clock
        self._trace = trace
        self._actions = actions
        self._kinds = kinds
        self._verbs: Mapping[str, Callable[[Any, Scope], Awaitable[Any]]] = {
            "start": self._start,
            "stop": self._stop,
            "restart": self._restart,
            "wait": self._wait,
            "exec": self._exec,
            "http": self._http,
            "task": self._task,
            "sleep": self._sleep,
            "set": self._set,
        }

    async def perform(self, step: Step, scope: Scope, record: StepRecord) -> Any:
        """Do one attempt of a step; return its outputs.

        Raises:
            HarnessError: why it failed.
        """
        values = resolved_options(step, scope)
        self._trace.give(record, values)
        if step.kind == "action":
            return await self._action(read_options(ActionOptions, values), record)
        if step.kind in BUILT_IN:
            return await self._verbs[step.kind](read_options(BUILT_IN[step.kind], values), scope)
        return await self._plugin(step.kind, values, record)

    async def _plugin(self, name: str, values: Mapping[str, Any], record: StepRecord) -> Any:
        kind = (await self._kinds()).get(name)
        if kind is None:
            raise WorkflowStepFailed(f'cannot do it: no plugin brings the step "{name}"')
        call = StepCall(
            project=self._project,
            run=self._trace.id,
            step=record.path,
            attempt=record.attempt,
            options=read_options(kind.options, values),
        )
        try:
            return plain_outputs(await kind().run(call))
        except HarnessError:
            raise
        except (Exception, SystemExit) as error:  # whatever somebody else's code does
            raise WorkflowStepFailed(f"cannot do it: {type(error).__name__}: {error}") from error

    # ── services and tasks ───────────────────────────────────────────────────────────────────────

    async def _start(self, options: UnitsOptions, _: Scope) -> Any:
        await _see_through(self._stacks.start(self._project, _names(options)))

    async def _stop(self, options: UnitsOptions, _: Scope) -> Any:
        await _see_through(self._stacks.stop(self._project, _names(options)))

    async def _restart(self, options: UnitsOptions, _: Scope) -> Any:
        await _see_through(self._stacks.restart(self._project, _names(options)))

    async def _task(self, options: TaskOptions, _: Scope) -> Any:
        context = self._project.context
        operation = self._stacks.run_tasks(
            context.spec, context.client_env, tasks=[options.name], force=bool(options.force)
        )
        await _see_through(operation)
        return dict(self._project.task(options.name).record.outputs)

    async def _wait(self, options: WaitOptions, scope: Scope) -> Any:
        limit_s = _seconds(options.timeout)
        if options.service is not None:
            target = cast("Literal['healthy']", options.state)
            missing: object = f'"{options.service}" is not {target}'
            work = partial(self._project.wait_for, [options.service], target)
        elif options.event is not None:
            missing = f"no event {options.event} has come"
            work = partial(self._event, options, scope)
        else:
            missing = condition = _Condition(options.until or "", scope)
            work = partial(self._until, condition)
        text = f"cannot wait any longer, {limit_s:g} s have passed"
        return await within(self._clock, limit_s, work, late=lambda: f"{text}: {missing}")

    async def _until(self, condition: _Condition) -> Any:
        with self._bus.subscribe(project=self._project.name) as events:
            while not condition.holds():
                await anext(events)
                while not events.is_drained:
                    await anext(events)

    async def _event(self, options: WaitOptions, scope: Scope) -> Any:
        with self._bus.subscribe(project=self._project.name) as events:
            async for event in events:
                seen = {"kind": event.kind.value, "unit": event.unit, "data": dict(event.data)}
                if event.kind.value == options.event and (
                    options.where is None or scope.knowing(event=seen).holds(options.where)
                ):
                    return seen
        return None

    # ── reaching in and out ──────────────────────────────────────────────────────────────────────

    async def _exec(self, options: ExecOptions, _: Scope) -> Any:
        # A text that one `${…}` stood for is one word, whatever is in it.
        argv = (options.command,) if isinstance(options.command, str) else options.command
        try:
            command = Command(
                argv=argv,
                env=options.env,
                inherit_env=False,
                working_dir=options.working_dir,
            )
        except ValueError as error:
            raise WorkflowStepFailed(f"cannot run it: {error}") from None
        process = await self._project.execute(options.service, command)
        done = await collect(process, command)
        outputs = {
            "status": done.status.as_shell(),
            "stdout": done.stdout.decode("utf-8", "replace"),
            "stderr": done.stderr.decode("utf-8", "replace"),
        }
        if outputs["status"] != options.status:
            tail = f": {excerpt(done.tail())}" if done.tail() else ""
            raise WorkflowStepFailed(f"cannot run `{command}`: {done.status}{tail}")
        return {**outputs, "json": _json(done.stdout)}

    async def _http(self, options: HttpOptions, _: Scope) -> Any:
        content = (options.body or "").encode()
        headers = {"user-agent": "harness-workflow", **options.headers}
        if options.json is not None:
            content = json.dumps(options.json).encode()
            headers = {"content-type": "application/json", **headers}
        method = options.method or ("POST" if content else "GET")
        request = Request(url=options.url, method=method, headers=headers, content=content)
        answer = await exchange(request, tls=ssl.create_default_context)
        what = f"cannot finish {method} {options.url}"
        if isinstance(answer, str):
            raise WorkflowStepFailed(f"{what}: {answer}")
        if len(answer.body) >= MAX_BODY_BYTES:
            raise WorkflowStepFailed(f"{what}: the answer has {MAX_BODY_BYTES} bytes or more")
        text = answer.body.decode("utf-8", "replace")
        if not _is_wanted(answer.status, options):
            raise WorkflowStepFailed(f"{what}: status {answer.status}: {excerpt(text)}")
        return {
            "status": answer.status,
            "headers": dict(answer.headers),
            "body": text,
            "json": _json(answer.body),
        }

    async def _action(self, options: ActionOptions, record: StepRecord) -> Any:
        service, _dot, name = options.name.rpartition(".")
        found = (await self._actions()).find(self._project, service or None, name)

        async def send(event: ActionEvent) -> None:
            # Whoever follows the run tells it from what others do with the service meanwhile.
            place = {"run": self._trace.id, "step": record.path}
            data = {"action": name, **event.document(), **place}
            self._project.context.publish(EventKind.ACTION_EVENT, found.service, **data)

        return await run_action(
            found.doer, found.action, options.parameters, title=found.title, send=send
        )

    async def _sleep(self, options: SleepOptions, _: Scope) -> Any:
        await self._clock.sleep(_seconds(options.duration))

    async def _set(self, options: SetOptions, scope: Scope) -> Any:
        scope.vars.update(options.values)
        return dict(options.values)


def _seconds(duration: float | str) -> float:
    """Return a duration; what was put in for its `${…}` may be one again, and is not resolved."""
    if isinstance(duration, str):
        raise WorkflowStepFailed(f'cannot use "{duration}": it is no duration')
    return duration


class _Condition:
    """An expression that is looked at again and again; its text says how it stands."""

    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._scope = scope
        self._last = "it does not hold"

    def __str__(self) -> str:
        return f"{self._text}: {self._last}"

    def holds(self) -> bool:
        """Tell whether it is true; what has no value yet is not."""
        try:
            value = self._scope.evaluate(self._text)
        except WorkflowStepFailed as error:
            self._last = str(error)
            return False
        self._last = "it does not hold"
        if not isinstance(value, bool):
            raise WorkflowStepFailed(
                f"cannot wait until {self._text}: it must be true or false, and is {value!r}"
            )
        return value


def resolved_options(step: Step, scope: Scope) -> dict[str, Any]:
    """Return a step's options with every `${…}` put in, but for those that are looked at later."""
    later, texts = _UNRESOLVED.get(step.kind, ()), _TEXTS.get(step.kind, ())
    found = {
        key: value if key in later else scope.resolve(value) for key, value in step.options.items()
    }
    return {key: _as_texts(value) if key in texts else value for key, value in found.items()}


def _as_texts(value: Any) -> Any:
    if isinstance(value, list):
        return [as_text(item) for item in value]
    if isinstance(value, Mapping):
        return {key: as_text(item) for key, item in value.items()}
    return as_text(value)


def _names(options: UnitsOptions) -> tuple[str, ...]:
    return (options.units,) if isinstance(options.units, str) else options.units


async def _see_through(operation: Operation) -> None:
    """Wait for an operation's end; being cancelled cancels it, and waits all the same.

    Raises:
        HarnessError: why it failed.
    """
    try:
        await operation.ended.wait()
    except anyio.get_cancelled_exc_class():
        operation.scope.cancel()
        with anyio.CancelScope(shield=True):
            await operation.ended.wait()
        raise
    if operation.error is not None:
        raise operation.error
    if operation.state.value != "done":
        raise WorkflowStepFailed(f"cannot {operation.verb}: it was {operation.state.value}")


def _is_wanted(status: int, options: HttpOptions) -> bool:
    wanted = options.status
    if isinstance(wanted, tuple):
        return status in wanted if wanted else 200 <= status < 300
    return status == wanted


def _json(body: bytes) -> Any:
    """Return a body as JSON values; None if it is no JSON."""
    try:
        return json.loads(body)
    except ValueError:
        return None
