"""The workflows of a stack file, or one that came on its own: checked, and made into the model.

Everything wrong is reported with its place. What plugins bring, names of actions and their
parameters, is checked where plugins are loaded.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from harness.model import (
    Parameter,
    Retry,
    StackSpec,
    Step,
    Workflow,
    WorkflowDocument,
)

from .duration import parse_duration
from .nodes import Entry, Map, Node, Scalar, Seq, path_text, plain
from .problems import Problems, Site
from .schema_check import check
from .schema_workflow import RawParameter, RawRetry, RawStep, RawWorkflow
from .static import StaticLookup
from .workflow_documents import document_node, places, set_names, step_names
from .workflow_names import KnownNames
from .workflow_options import step_options
from .workflow_texts import Visible, check_expression, check_texts

__all__ = ["check_workflows", "read_workflow"]

T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_STEP_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KINDS = (
    "start", "stop", "restart", "wait", "exec", "http", "action", "task", "sleep", "set", "uses",
    "sequence", "parallel", "for_each",
)  # fmt: skip
_PYTHON = {"string": str, "path": str, "paths": list, "integer": int, "number": (int, float),
           "boolean": bool, "list": list, "object": dict}  # fmt: skip


def check_workflows(site: Site, known: KnownNames) -> dict[str, WorkflowDocument]:
    """Return the workflows of a stack file, at whose `workflows` the site is; report problems."""
    found: dict[str, WorkflowDocument] = {}
    node = site.node
    if not isinstance(node, Map):
        return found
    for name, entry in node.entries.items():
        place = site.at(name)
        workflow = _Reader(place, known, name).workflow()
        if workflow is not None:
            found[name] = WorkflowDocument(
                name=name, document=plain(entry.node), places=places(entry.node, place)
            )
    return found


def read_workflow(document: WorkflowDocument, stack: StackSpec | None) -> Workflow:
    """Return a workflow as the model has it.

    Args:
        document: what was written.
        stack: whose services and tasks it may name; None: none are known.

    Raises:
        ConfigError: it is not well formed; everything wrong is in it.
    """
    root = document_node(document.document, "")
    problems = Problems("")
    units = stack.units if stack is not None else {}
    known = KnownNames(
        kinds={name: unit.kind for name, unit in units.items()},
        secrets=tuple(stack.secrets) if stack is not None else (),
    )
    holder = Map(mark=root.mark, entries={document.name: Entry(key=root.mark, node=root)})
    reader = _Reader(
        Site(problems=problems, root=holder, path=(document.name,)), known, document.name
    )
    reader.places = document.places
    workflow = reader.workflow()
    problems.raise_if_any()
    assert workflow is not None  # noqa: S101 - without problems there is one
    return workflow


class _Reader:
    """Reads one workflow."""

    def __init__(self, site: Site, known: KnownNames, name: str) -> None:
        self._site = site
        self._known = known
        self._name = name
        self._depth = len(site.path)
        self._names: set[str] = set()
        self._all: frozenset[str] = frozenset()
        self.places: Mapping[str, str] = {}

    def workflow(self) -> Workflow | None:
        site = self._site
        if not _NAME.fullmatch(self._name):
            site.report_key(
                "config-value", f'"{self._name}" is no name of a workflow',
                "a letter, then letters, digits, - and _",
            )  # fmt: skip
        if not isinstance(site.node, Map):
            site.report("config-type", "must be a map that describes the workflow")
            return None
        lookup = self._known.lookup or StaticLookup()
        # Steps apart, each by itself: what is wrong with one hides nothing of the others.
        raw = check(RawWorkflow, site.node.without("steps", "finally"), site, lookup)
        if raw is None:
            return None
        if "steps" not in site.node.entries:
            site.report("config-missing-key", "has no steps", "write what it does under `steps`")
        self._all = frozenset(step_names(site.node))
        visible = Visible(
            known=self._known,
            parameters=tuple(raw.parameters),
            variables=(*raw.variables, *set_names(site.node)),
            every=self._all,
        )
        parameters = {name: self._parameter(name, item) for name, item in raw.parameters.items()}
        check_texts(site.at("variables"), visible)
        steps, after = self._steps(self._raws("steps"), site.at("steps"), visible, "")
        finally_, _ = self._steps(
            self._raws("finally"), site.at("finally"), after.with_error(), "finally/"
        )
        return Workflow(
            name=self._name,
            description=raw.description,
            parameters=parameters,
            variables=raw.variables,
            steps=steps,
            finally_=finally_,
            timeout_s=raw.timeout,
            cleanup_timeout_s=raw.cleanup_timeout,
        )

    def _parameter(self, name: str, raw: RawParameter) -> Parameter:
        site = self._site.at("parameters", name)
        if not _STEP_NAME.fullmatch(name):
            site.report_key(
                "config-value", f'"{name}" is no name of a parameter',
                "a letter, then letters, digits and _",
            )  # fmt: skip
        node = site.node
        required = not (isinstance(node, Map) and "default" in node.entries)
        values = (*raw.choices, *(() if raw.default is None else (raw.default,)))
        for value in values:
            if not _is_of(value, raw.type):
                what = "default" if value is raw.default else "choices"
                site.at(what).report("config-type", f"{value!r} is no {raw.type}")
        if raw.choices and raw.default is not None and raw.default not in raw.choices:
            site.at("default").report("config-value", "is none of the choices")
        return Parameter(
            name=name,
            type=raw.type,
            required=required,
            default=raw.default,
            description=raw.description,
            choices=raw.choices,
        )

    def _raws(self, key: str) -> tuple[RawStep | None, ...]:
        """Return the steps of a list as the file says them; None for what cannot be read."""
        site = self._site.at(key)
        if site.node is None:
            return ()
        if not isinstance(site.node, Seq):
            site.report("config-type", "must be a list of steps")
            return ()
        lookup = self._known.lookup or StaticLookup()
        return tuple(
            check(RawStep, item, site.at(index), lookup)
            for index, item in enumerate(site.node.items)
        )

    # ── steps ────────────────────────────────────────────────────────────────────────────────────

    def _steps(
        self, raws: Sequence[RawStep | None], site: Site, visible: Visible, prefix: str
    ) -> tuple[tuple[Step, ...], Visible]:
        """Return steps that follow one another, and what can be seen after them."""
        made = []
        for index, raw in enumerate(raws):
            if raw is None:
                continue
            step, visible = self._step(raw, site.at(index), visible, prefix, index)
            made += [step] if step is not None else []
        return tuple(made), visible

    def _beside(
        self, raws: Sequence[RawStep], site: Site, visible: Visible, prefix: str
    ) -> tuple[tuple[Step, ...], Visible]:
        """The same for steps that do not see one another."""
        made, after = [], visible
        for index, raw in enumerate(raws):
            step, seen = self._step(raw, site.at(index), visible, prefix, index)
            made += [step] if step is not None else []
            after = after.and_of(seen)
        return tuple(made), after

    def _step(
        self, raw: RawStep, site: Site, visible: Visible, prefix: str, index: int
    ) -> tuple[Step | None, Visible]:
        self._take_name(raw, site)
        kind = self._kind(raw, site)
        if kind is None:
            return None, visible
        if isinstance(raw.if_, str):
            check_expression(site.at("if"), visible)
        path = f"{prefix}{raw.name or f'{index + 1}-{kind}'}"
        after = visible
        body: tuple[Step, ...] = ()
        otherwise: tuple[Step, ...] = ()
        options: Mapping[str, Any] = {}
        match kind:
            case "sequence":
                body, after = self._steps(raw.sequence or (), site.at(kind), visible, f"{path}/")
            case "parallel":
                options, body, after = self._parallel(raw, site, visible, path)
            case "for_each":
                options, body = self._for_each(raw, site, visible, path)
            case "if":
                options = {"condition": raw.if_}
                body, one = self._steps(raw.then or (), site.at("then"), visible, f"{path}/then/")
                otherwise, two = self._steps(
                    raw.else_ or (), site.at("else"), visible, f"{path}/else/"
                )
                after = one.and_of(two)
            case _:
                options = step_options(raw, kind, site, visible)
        after = after.and_step(raw.name)
        return Step(
            path=path,
            kind=raw.uses if raw.uses is not None and kind == "uses" else kind,
            name=raw.name,
            options=options,
            body=body,
            otherwise=otherwise,
            when=_condition(raw.if_) if kind != "if" else None,
            retry=self._retry(raw.retry, site.at("retry")),
            timeout_s=raw.timeout,
            compensate=self._compensation(raw, site, after, path),
            place=self.places.get(path_text(site.path[self._depth :])),
        ), after

    def _kind(self, raw: RawStep, site: Site) -> str | None:
        node = site.node
        given = list(node.entries) if isinstance(node, Map) else []
        kinds = [kind for kind in _KINDS if kind in given]
        if raw.then is not None or raw.else_ is not None:
            kinds.append("if")
            if raw.if_ is None:
                site.report("config-missing-key", "has `then` or `else` and no `if`")
                return None
        if "with" in given and "uses" not in kinds:
            site.at("with").report_key("config-value", "has a meaning beside `uses` only")
        if len(kinds) == 1:
            if kinds[0] in given and _is_empty(kinds[0], site.at(kinds[0]).node):
                site.at(kinds[0]).report("config-value", "is empty")
                return None
            if raw.uses in (*_KINDS, "if"):
                instead = f"write `{raw.uses}:` in place of `uses`"
                site.at("uses").report("config-value", f'"{raw.uses}" is built in', instead)
                return None
            return kinds[0] if _is_read(raw, kinds[0]) else None
        if kinds:
            site.report(
                "config-value",
                f"does several things: {', '.join(kinds)}",
                "write one step for each",
            )
        elif not any(key not in _COMMON for key in given):  # else an unknown key is reported
            site.report(
                "config-missing-key", "does nothing", f"one of {', '.join(_KINDS)}, or if with then"
            )
        return None

    def _take_name(self, raw: RawStep, site: Site) -> None:
        if raw.name is None:
            return
        if not _STEP_NAME.fullmatch(raw.name):
            site.at("name").report(
                "config-value", f'"{raw.name}" is no name of a step',
                "a letter, then letters, digits and _, so that ${steps.NAME} can name it",
            )  # fmt: skip
        if raw.name in self._names:
            site.at("name").report("config-value", f'a step is called "{raw.name}" already')
        self._names.add(raw.name)

    def _parallel(
        self, raw: RawStep, site: Site, visible: Visible, path: str
    ) -> tuple[Mapping[str, Any], tuple[Step, ...], Visible]:
        block = raw.parallel
        if isinstance(block, tuple) or block is None:
            body, after = self._beside(block or (), site.at("parallel"), visible, f"{path}/")
            return {}, body, after
        _at_least_one(block.max, site.at("parallel", "max"))
        place = site.at("parallel", "steps")
        body, after = self._beside(block.steps, place, visible, f"{path}/")
        return {"max": block.max}, body, after

    def _for_each(
        self, raw: RawStep, site: Site, visible: Visible, path: str
    ) -> tuple[Mapping[str, Any], tuple[Step, ...]]:
        block, place = raw.for_each, site.at("for_each")
        assert block is not None  # noqa: S101 - it decided the kind
        _at_least_one(block.max, place.at("max"))
        if not _STEP_NAME.fullmatch(block.name):
            place.at("name").report("config-value", f'"{block.name}" is no name of a variable')
        if isinstance(block.items, str):
            check_expression(place.at("items"), visible)
        else:
            check_texts(place.at("items"), visible)
        inside = visible.and_names(block.name, "index")
        body, _ = self._steps(block.steps, place.at("steps"), inside, f"{path}/")
        items = block.items if isinstance(block.items, str) else list(block.items)
        return {"items": items, "name": block.name, "max": block.max}, body

    def _compensation(
        self, raw: RawStep, site: Site, visible: Visible, path: str
    ) -> tuple[Step, ...]:
        for index, inner in enumerate(raw.compensate):
            if inner.compensate:
                site.at("compensate", index, "compensate").report_key(
                    "config-unsupported", "a compensation has none of its own"
                )
        place = site.at("compensate")
        steps, _ = self._steps(raw.compensate, place, visible.with_error(), f"{path}/compensate/")
        return steps

    def _retry(self, raw: int | RawRetry | None, site: Site) -> Retry:
        if raw is None:
            return Retry()
        block = RawRetry(attempts=raw) if isinstance(raw, int) else raw
        place = site if isinstance(raw, int) else site.at("attempts")
        _at_least_one(block.attempts, place)
        if block.factor < 1:
            site.at("factor").report("config-value", "must be 1 or more")
        return Retry(
            attempts=block.attempts,
            delay_s=block.delay,
            factor=block.factor,
            max_delay_s=block.max_delay,
        )


_COMMON = ("name", "if", "then", "else", "retry", "timeout", "compensate", "with")


def _condition(value: str | bool | None) -> str | None:
    return None if value is None else value if isinstance(value, str) else str(value).lower()


def _is_empty(kind: str, node: Node | None) -> bool:
    """Tell whether a step says nothing; no steps in order, or side by side, are some, too."""
    if isinstance(node, Seq):
        return kind in ("start", "stop", "restart") and not node.items
    return isinstance(node, Scalar) and node.value in (None, "")


def _is_read(raw: RawStep, kind: str) -> bool:
    """Tell whether what says the kind could be read; what is wrong with it is reported."""
    names = {field.name.rstrip("_"): field.name for field in dataclasses.fields(raw)}
    return getattr(raw, names[kind]) is not None


def _at_least_one(value: int | None, site: Site) -> None:
    if value is not None and value < 1:
        site.report("config-value", "must be 1 or more")


def _is_of(value: Any, kind: str) -> bool:
    if kind == "duration":
        with suppress(ValueError):
            return parse_duration(value) >= 0
        return False
    if isinstance(value, bool) and kind != "boolean":
        return False
    return isinstance(value, _PYTHON[kind])  # type: ignore[arg-type] # types, and a tuple of them
