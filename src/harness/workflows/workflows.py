"""The workflows of the daemon: which there are, their runs, and what is remembered of those."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio

from harness.actions import Catalogue
from harness.clock import Clock
from harness.config import read_workflow
from harness.errors import (
    ConfigSchemaError,
    HarnessError,
    Problem,
    WorkflowFailed,
    WorkflowNotFound,
    WorkflowTimeout,
)
from harness.events import EventBus
from harness.model import EventKind, StackSpec, Step, Workflow, WorkflowDocument
from harness.storage import Store
from harness.suggestions import did_you_mean
from harness.supervisor import Operation, Project, Stacks, UnitResult, masked

from .dry_run import DryRun, Later
from .kinds import BUILT_IN_STEPS, StepKinds, read_options
from .parameters import missing_parameters, read_parameters
from .runner import Outcome, Runner
from .scope import Scope
from .steps import Doer
from .surroundings import ProjectSurroundings
from .trace import Trace, Traces

__all__ = ["Workflows", "check_kinds"]

logger = logging.getLogger(__name__)


class Workflows:
    """Runs workflows over projects.

    Args:
        actions: returns the actions that plugins bring; they are loaded when it is called.
        kinds: returns the kinds of steps that plugins bring.
        brought: returns the workflows that plugins bring.
    """

    def __init__(
        self,
        *,
        stacks: Stacks,
        store: Store,
        bus: EventBus,
        clock: Clock,
        actions: Callable[[], Awaitable[Catalogue]],
        kinds: Callable[[], Awaitable[StepKinds]],
        brought: Callable[[], Awaitable[Mapping[str, WorkflowDocument]]],
    ) -> None:
        self._stacks = stacks
        self._bus = bus
        self._clock = clock
        self._actions = actions
        self._kinds = kinds
        self._brought = brought
        self.traces = Traces(store=store, clock=clock)

    async def documents(self, stack: StackSpec) -> dict[str, WorkflowDocument]:
        """Return the workflows of a stack, then those of plugins with other names."""
        return {**stack.workflows, **{
            name: document
            for name, document in (await self._brought()).items()
            if name not in stack.workflows
        }}  # fmt: skip

    async def read(
        self, stack: StackSpec, name: str, document: Mapping[str, Any] | None = None
    ) -> Workflow:
        """Return a workflow: of the stack or a plugin, or the given one.

        Raises:
            WorkflowNotFound: there is none of that name.
            ConfigError: it is not well formed, or wants what no plugin brings.
        """
        if document is None:
            known = await self.documents(stack)
            if name not in known:
                raise WorkflowNotFound(
                    f'cannot find workflow "{name}"',
                    hint=did_you_mean(name, known) or "`workflows:` in the stack file",
                )
            found = known[name]
        else:
            found = WorkflowDocument(name=name, document=document)
        workflow = read_workflow(found, stack)
        await self.check(workflow)
        return workflow

    async def check(self, workflow: Workflow) -> None:
        """Raise what a workflow wants and no plugin brings, every place at once.

        Raises:
            ConfigSchemaError: a kind of step, or an option of one.
        """
        if _wants_kinds(workflow):
            check_kinds(workflow, await self._kinds())

    async def plan(
        self, stack: StackSpec, workflow: Workflow, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return what a run would do: {parameters, steps, problems, missing}; nothing is changed.

        Parameters may be missing; what depends on them is as it was written.

        Raises:
            InvalidParameters: those that are given do not fit.
        """
        missing = missing_parameters(workflow, parameters)
        params = read_parameters(workflow, parameters, without=missing)
        project = next((p for p in self._stacks.projects() if p.name == stack.name), None)
        secrets = project.context.secrets if project is not None else set[str]()
        wants_actions = any(step.kind == "action" for step in _every(workflow))
        dry = DryRun(
            project=project,
            actions=await self._actions() if wants_actions else None,
            kinds=await self._kinds() if _wants_kinds(workflow) else {},
            mask=partial(masked, secrets=secrets),
        )
        around = ProjectSurroundings(project) if project is not None else _Nothing()
        later = {name: Later(f"${{params.{name}}}") for name in missing}
        dry.go(workflow, Scope(around=around, params=params | later))
        return {
            "parameters": masked(params, secrets),
            "steps": dry.steps,
            "problems": dry.problems,
            "missing": list(missing),
        }

    def begin(
        self, project: Project, workflow: Workflow, parameters: Mapping[str, Any]
    ) -> Operation:
        """Begin a run; its id is the operation's.

        Raises:
            InvalidParameters: the parameters do not fit; nothing was begun.
        """
        params = read_parameters(workflow, parameters)

        async def work(operation: Operation) -> list[UnitResult]:
            try:
                await self._run(operation, project, workflow, params)
            finally:
                if project not in self._stacks.projects():
                    # Removed meanwhile, with its runs; this one was written after that.
                    self.traces.remove(operation.id)
            return []

        return self._stacks.operations.begin("workflow", project=project.name, units=(), work=work)

    async def _run(
        self, operation: Operation, project: Project, workflow: Workflow, params: dict[str, Any]
    ) -> None:
        context = project.context

        def mask(value: Any) -> Any:
            return masked(_listed(value), context.secrets)

        header = {
            "id": operation.id,
            "project": project.name,
            "workflow": workflow.name,
            "parameters": mask(params),
        }
        trace = self.traces.open(header, mask, context.publish)
        trace.tell(EventKind.WORKFLOW_STARTED, workflow=workflow.name)
        doer = Doer(
            project,
            stacks=self._stacks,
            bus=self._bus,
            clock=self._clock,
            trace=trace,
            actions=self._actions,
            kinds=self._kinds,
        )
        runner = Runner(
            perform=doer.perform,
            clock=self._clock,
            trace=trace,
            # The end of the daemon is no wish of a user.
            may_clean_up=lambda: operation.scope.cancel_called,
        )
        around = ProjectSurroundings(project)
        scope = Scope(around=around, params=params)
        try:
            await around.read_secrets(workflow)
            scope.vars.update(scope.resolve(workflow.variables))
            outcome = await runner.run(workflow, scope)
        except anyio.get_cancelled_exc_class():
            if operation.scope.cancel_called:
                _finish(trace, workflow, "cancelled", runner.outcome, None)
            raise
        except HarnessError as error:
            _finish(trace, workflow, "failed", runner.outcome, error)
            raise
        finally:
            self.traces.close(trace)
        failure = _failure(workflow, operation.id, outcome, mask)
        _finish(trace, workflow, "done" if failure is None else "failed", outcome, failure)
        if failure is not None:
            raise failure


def check_kinds(workflow: Workflow, kinds: StepKinds) -> None:
    """Check the steps of plugins against what these bring.

    Raises:
        ConfigSchemaError: a kind that is not there, or options that do not fit; all of them.
    """
    found = []
    for step in filter(_is_brought, _every(workflow)):
        kind = kinds.get(step.kind)
        if kind is None:
            hint = did_you_mean(step.kind, kinds) or "`harness plugin list` shows plugins"
            message = f'no plugin brings a step "{step.kind}"'
            found.append(_problem(workflow, step, message, hint))
        elif "${" not in str(step.options):
            try:
                read_options(kind.options, step.options)
            except HarnessError as error:
                found.append(_problem(workflow, step, str(error), None))
    if found:
        raise ConfigSchemaError(problems=found)


def _problem(workflow: Workflow, step: Step, message: str, hint: str | None) -> Problem:
    file, line, column = (step.place or "::").rsplit(":", 2)
    return Problem(
        file=file, line=int(line or 0), column=int(column or 0),
        path=f"workflows.{workflow.name}.{step.path}", kind="config-step", message=message,
        hint=hint,
    )  # fmt: skip


def _every(workflow: Workflow) -> list[Step]:
    """Return all steps, those inside others too."""
    found: list[Step] = []
    waiting = [*workflow.steps, *workflow.finally_]
    while waiting:
        step = waiting.pop(0)
        found.append(step)
        waiting = [*step.body, *step.otherwise, *step.compensate, *waiting]
    return found


def _wants_kinds(workflow: Workflow) -> bool:
    return any(map(_is_brought, _every(workflow)))


def _is_brought(step: Step) -> bool:
    """Tell whether a plugin's class does a step."""
    return step.kind not in BUILT_IN_STEPS


def _failure(
    workflow: Workflow, run: str, outcome: Outcome, mask: Callable[[Any], Any]
) -> WorkflowFailed | None:
    """Return why a run failed, without secrets: it is told to whoever waits, and published."""
    error = outcome.error
    if error is None:
        return None
    if not isinstance(error, HarnessError):
        logger.error("Cannot finish workflow %s", workflow.name, exc_info=error)
    kind = WorkflowTimeout if outcome.is_late else WorkflowFailed
    trace = f"harness workflow show {run}"
    remedy = mask(_remedy(error))
    return kind(
        workflow=workflow.name,
        step=outcome.step,
        cause=mask(str(error)),
        compensated=outcome.compensated,
        left=tuple(outcome.left),
        leftover=mask(outcome.leftover),
        hint=f"{remedy}; `{trace}` shows its steps" if remedy else trace,
        details={"run": run, "reasons": mask(outcome.left)},
    )


def _remedy(error: Exception | None) -> str | None:
    return error.hint if isinstance(error, HarnessError) else None


def _finish(
    trace: Trace, workflow: Workflow, state: str, outcome: Outcome, error: HarnessError | None
) -> None:
    shown = None
    if error is not None:
        # Its own hint leads to what shows this.
        remedy = _remedy(outcome.error or error)
        shown = {
            "kind": error.kind,
            "message": str(error),
            "step": outcome.step,
            "hint": remedy,
        }
    trace.finish(
        state,
        error=shown,
        compensated=list(outcome.compensated),
        left=[{"step": path, "reason": why} for path, why in outcome.left.items()],
        leftover=outcome.leftover,
    )
    message = None if error is None else str(error)
    trace.tell(EventKind.WORKFLOW_FINISHED, workflow=workflow.name, outcome=state, message=message)


def _listed(value: Any) -> Any:
    """Return JSON values with lists where tuples were."""
    if isinstance(value, Mapping):
        return {key: _listed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    return value


class _Nothing:
    """Surroundings of a project that is not loaded: nothing has a value."""

    def root(self, name: str) -> Any:
        """Return no units."""
        return {}

    def text(self, hole: Any) -> str:
        """Return what was written."""
        return str(hole.text)
