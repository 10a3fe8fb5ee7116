"""What the texts of a workflow's steps refer to: check that it is there, and comes before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.expressions import ExpressionError, compile_expression
from harness.model import UnitKind

from .grammar import PROPERTIES, InterpolationSyntaxError, Reference
from .interpolate import missing
from .links import Permissive
from .nodes import Scalar, scalars
from .problems import Site, did_you_mean
from .templates import ROOTS, Hole, holes
from .workflow_names import KnownNames

__all__ = ["Visible", "check_expression", "check_texts"]

_UNRESOLVED = "config-unresolved-reference"
_EVERYWHERE = ("params", "vars", "steps", "services", "tasks")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """What a step can name.

    Attributes:
        steps: those that have run before it, if they run at all.
        every: all of the workflow.
        names: roots besides those that are known everywhere.
    """

    known: KnownNames
    parameters: tuple[str, ...]
    variables: tuple[str, ...]
    every: frozenset[str]
    steps: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()

    @property
    def roots(self) -> frozenset[str]:
        """Names that an expression may begin with."""
        return frozenset(_EVERYWHERE) | self.names

    def and_step(self, name: str | None) -> Visible:
        """Return what can be seen after a step."""
        return self if name is None else replace(self, steps=self.steps | {name})

    def and_of(self, other: Visible) -> Visible:
        """Return what can be seen after both."""
        return replace(self, steps=self.steps | other.steps)

    def and_names(self, *names: str) -> Visible:
        """Return what can be seen where there are more roots."""
        return replace(self, names=self.names | set(names))

    def with_error(self) -> Visible:
        """Return what a step that cleans up can see."""
        return self.and_names("error")


def check_texts(site: Site, visible: Visible, *, without: Iterable[str | int] = ()) -> None:
    """Check every `${…}` of the texts below; `without` names keys that are no such texts."""
    node = site.node
    if node is None:
        return
    for path, scalar in scalars(node):
        if (
            isinstance(scalar.value, str)
            and "$" in scalar.text
            and not (path and path[0] in without)
        ):
            _check_text(scalar, site.at(*path), visible)


def check_expression(site: Site, visible: Visible) -> None:
    """Check a text that is an expression, alone or in `${…}`."""
    scalar = site.node
    if not isinstance(scalar, Scalar):
        return
    if "${" in scalar.text:
        _check_text(scalar, site, visible)
    else:
        _check_source(scalar.text, 0, scalar, site, visible)


def _check_text(scalar: Scalar, site: Site, visible: Visible) -> None:
    try:
        parts = holes(scalar.text, (*ROOTS, *visible.roots))
    except InterpolationSyntaxError as error:
        site.within(scalar.mark_at(error.offset)).report(_UNRESOLVED, str(error))
        return
    for part in parts:
        if isinstance(part, Hole) and part.stack is None:
            _check_source(part.source, part.offset + 2, scalar, site, visible)
        elif isinstance(part, Hole):
            _check_stack(part, site.within(scalar.mark_at(part.offset)), visible)


def _check_source(source: str, offset: int, scalar: Scalar, site: Site, visible: Visible) -> None:
    try:
        expression = compile_expression(source)
    except ExpressionError as error:
        place = site.within(scalar.mark_at(offset + error.offset))
        place.report("config-expression", str(error))
        return
    for name in sorted(expression.names):
        at = max(source.find(name), 0)
        if name not in visible.roots:
            hint = did_you_mean(name, sorted(visible.roots))
            if name in ROOTS:
                hint = f"{name} is not known here"
            place = site.within(scalar.mark_at(offset + at))
            place.report(_UNRESOLVED, f'nothing is called "{name}"', hint)
        for key, where in expression.keys[name]:
            _check_key(name, key, site.within(scalar.mark_at(offset + where)), visible)


def _check_key(root: str, key: str, site: Site, visible: Visible) -> None:
    known = {
        "params": ("parameter", visible.parameters),
        "vars": ("variable", visible.variables),
        "steps": ("step", tuple(sorted(visible.steps))),
        "services": ("service", tuple(visible.known.kinds)),
        "tasks": ("task", visible.known.of(UnitKind.TASK)),
    }.get(root)
    if known is None or key in known[1]:
        return
    noun, names = known
    if root == "steps" and key in visible.every:
        site.report(_UNRESOLVED, f'the step "{key}" has not run before this one')
        return
    hint = did_you_mean(key, names)
    dashed = next((name for name in names if name.startswith(f"{key}-")), None)
    if dashed is not None:
        hint = f'write {root}["{dashed}"]'
    site.report(_UNRESOLVED, f'there is no {noun} "{key}"', hint)


def _check_stack(hole: Hole, site: Site, visible: Visible) -> None:
    """Check what is of the stack file's own language."""
    known = visible.known
    if isinstance(hole.stack, Reference):
        match hole.stack.path:
            case ("project", "name"):
                pass
            case ("secrets", name):
                if name not in known.secrets:
                    hint = did_you_mean(name, known.secrets)
                    site.report(_UNRESOLVED, f'{hole.text}: there is no secret "{name}"', hint)
            case ("tasks", name, "outputs", *_):
                _check_key("tasks", name, site, visible)
            case (name, *rest):
                _check_unit(hole.text, name, rest, site, known)
            case _:
                pass
    if known.lookup is not None:
        for _, problem in missing(hole.text, Permissive(known.lookup)):
            site.report(problem.kind, problem.message, problem.hint)


def _check_unit(text: str, name: str, rest: list[str], site: Site, known: KnownNames) -> None:
    if name not in known.kinds:
        message = f'{text}: no service or task "{name}"'
        site.report(_UNRESOLVED, message, did_you_mean(name, (*known.kinds, *_EVERYWHERE)))
    elif rest[0] not in PROPERTIES:
        message = f'{text}: "{name}" has no property "{".".join(rest)}"'
        site.report(_UNRESOLVED, message, did_you_mean(rest[0], PROPERTIES))
