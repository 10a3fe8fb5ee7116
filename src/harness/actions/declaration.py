"""What an action is, read from the method that does it: name, texts, types of what goes in and out.

An author writes a method with annotations and a docstring; nothing is said twice.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import Field

from harness.validation import adapter

from .attribute_texts import attribute_texts

__all__ = ["Action", "action", "declared_actions", "declared_method", "event_name"]

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__harness_action__"
_STRICT = {"extra": "forbid", "use_attribute_docstrings": True}
_CALL = "call"
_MUTABLE = (list, dict, set)
_PARAMS = "__dataclass_params__"
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ARGUMENT = re.compile(r"^(\w+)\s*(?:\([^)]*\))?:\s*(.*)$")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action, as its method declares it.

    Attributes:
        name: such as `mine-blocks`.
        summary: first line of its docstring.
        description: the rest, without the parts on arguments and results.
        method: name of the method.
        parameters: a dataclass.
        result: a type; None: it has no result.
        events: name → dataclass, what it may emit while it runs.
        takes_call: its method wants the call.
        whole: the method's only parameter, which gets the dataclass; None: it gets the fields.
        timeout_s: how long it may take; None: no limit.
    """

    name: str
    summary: str
    description: str
    method: str
    parameters: type
    result: Any
    events: Mapping[str, type]
    takes_call: bool
    whole: str | None
    timeout_s: float | None

    def parameters_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its parameters, an object."""
        return adapter(self.parameters).json_schema()

    def result_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of its result."""
        return adapter(self.result).json_schema(mode="serialization")

    def columns(self) -> dict[str, str]:
        """Return which columns its result has as a table, heading → path such as `latest.number`.

        A class whose lists are tables has them as `table_columns`; without it, all fields are
        columns.
        """
        of = get_args(self.result)[0] if get_origin(self.result) in (list, tuple) else None
        return dict(getattr(of, "table_columns", {}))

    def event_schemas(self) -> dict[str, dict[str, Any]]:
        """Return the JSON Schema of each of its events."""
        return {
            name: adapter(event).json_schema(mode="serialization")
            for name, event in self.events.items()
        }


@dataclasses.dataclass(frozen=True, slots=True)
class _Mark:
    name: str | None
    events: tuple[type, ...]
    timeout_s: float | None


def action(
    *, name: str | None = None, events: Iterable[type] = (), timeout_s: float | None = None
) -> Callable[[F], F]:
    """Make an async method an action.

    Its parameters are the method's own, each with a type, or one that is a dataclass. A parameter
    called `call` gets the `Call` in place of the caller's. The docstring's first line is the
    summary; lines `name: text` under `Args:` describe parameters.

    Args:
        name: for callers; the method's name with hyphens unless given.
        events: dataclasses that it may emit.
        timeout_s: how long it may take; None: no limit.
    """

    def mark(method: F) -> F:
        setattr(method, _MARK, _Mark(name, tuple(events), timeout_s))
        return method

    return mark


def declared_actions(of: type) -> Mapping[str, Action]:
    """Return the actions of a class by name, in the order of their definition.

    Those that it has from other classes come after its own, class by class.

    Raises:
        TypeError: a declaration is not complete, or a name is there twice; it says what to write.
    """
    found: dict[str, Action] = {}
    for method, function in inspect.getmembers_static(of, callable):
        mark = getattr(function, _MARK, None)
        if isinstance(mark, _Mark):
            declared = _declared(of, method, function, mark)
            if declared.name in found:
                raise TypeError(f'{of.__name__} has two actions of the name "{declared.name}"')
            found[declared.name] = declared
    order = {name: _place(of, declared.method) for name, declared in found.items()}
    return MappingProxyType({name: found[name] for name in sorted(found, key=order.__getitem__)})


def _place(of: type, method: str) -> tuple[int, int]:
    """Return where a method is defined: in which of the class and its bases, and on which line."""
    number = next(n for n, one in enumerate(of.__mro__) if method in vars(one))
    return number, getattr(of, method).__code__.co_firstlineno


def declared_method(of: type, method: str, events: Iterable[type]) -> Action:
    """Return one method of a class as an action, although it is not marked as one.

    Raises:
        TypeError: its declaration is not complete; it says what to write.
    """
    return _declared(of, method, getattr(of, method), _Mark(None, tuple(events), None))


def event_name(of: type) -> str:
    """Return how an event's class is called on the wire, such as `block-mined`."""
    return _CAPITAL.sub("-", of.__name__).lower()


def _declared(of: type, method: str, function: Callable[..., Any], mark: _Mark) -> Action:
    where = f"{of.__name__}.{method}"
    if not inspect.iscoroutinefunction(function):
        raise TypeError(f'{where} is an action, so it must be an "async def"')
    for event in mark.events:
        if not dataclasses.is_dataclass(event):
            raise TypeError(f"{where} emits {event.__name__}, which is no dataclass")
    hints = get_type_hints(function, include_extras=True)
    summary, description, arguments = _texts(function)
    if not summary:
        raise TypeError(f"{where} has no docstring; its first line is what users read")
    parameters, takes_call, whole = _parameters(where, function, hints, arguments)
    return Action(
        name=mark.name or method.strip("_").replace("_", "-"),
        summary=summary,
        description=description,
        method=method,
        parameters=parameters,
        result=hints.get("return"),
        events=MappingProxyType({event_name(event): event for event in mark.events}),
        takes_call=takes_call,
        whole=whole,
        timeout_s=mark.timeout_s,
    )


def _parameters(
    where: str, function: Callable[..., Any], hints: Mapping[str, Any], texts: Mapping[str, str]
) -> tuple[type, bool, str | None]:
    """Return the type of an action's parameters, whether it takes the call, and as what."""
    own = list(inspect.signature(function).parameters.values())[1:]
    takes_call = any(parameter.name == _CALL for parameter in own)
    own = [parameter for parameter in own if parameter.name != _CALL]
    for parameter in own:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise TypeError(f'{where} takes "*{parameter.name}"; callers must know every name')
        if parameter.name not in hints:
            raise TypeError(f'{where} says no type for "{parameter.name}"')
    if [p.default for p in own] == [inspect.Parameter.empty]:
        (only,) = own
        if dataclasses.is_dataclass(hints[only.name]):
            return _strict(hints[only.name]), takes_call, only.name
    fields = [(p.name, _described(p, hints[p.name], texts), _with_default(p)) for p in own]
    made = dataclasses.make_dataclass(
        "".join(word.title() for word in where.rpartition(".")[2].split("_")),
        fields,
        kw_only=True,
        frozen=True,
        namespace={"__pydantic_config__": _STRICT},
    )
    return made, takes_call, None


def _strict(of: type) -> type:
    """Return a dataclass of the same fields, for values with no others."""
    return dataclasses.make_dataclass(
        of.__name__,
        [],
        bases=(of,),
        frozen=getattr(of, _PARAMS).frozen,
        namespace={
            "__pydantic_config__": {**_STRICT, "json_schema_extra": partial(_describe, of)},
            "__doc__": of.__doc__,
        },
    )


def _describe(of: type, schema: dict[str, Any]) -> None:
    """Add to a schema what stands below the fields of a class, which the made one does not have."""
    for name, text in attribute_texts(of).items():
        if name in schema.get("properties", {}):
            schema["properties"][name].setdefault("description", text)


def _described(parameter: inspect.Parameter, hint: Any, texts: Mapping[str, str]) -> Any:
    # What is made anew for each call is not in a schema by itself.
    shown: Any = {"default": parameter.default} if isinstance(parameter.default, _MUTABLE) else None
    described = Field(description=texts.get(parameter.name), json_schema_extra=shown)
    return Annotated[hint, described]


def _with_default(parameter: inspect.Parameter) -> Any:
    default = parameter.default
    if default is parameter.empty:
        return dataclasses.field()
    if isinstance(default, _MUTABLE):
        return dataclasses.field(default_factory=partial(copy, default))
    return dataclasses.field(default=default)


def _texts(function: Callable[..., Any]) -> tuple[str, str, dict[str, str]]:
    """Return summary, description and the texts on arguments of a docstring, in Google's style."""
    lines = inspect.cleandoc(function.__doc__ or "").splitlines()
    summary = lines[0].strip() if lines else ""
    body: list[str] = []
    arguments: dict[str, str] = {}
    section, last = "", ""
    for line in lines[1:]:
        if line and not line[0].isspace():
            section = line.strip() if line.strip().endswith(":") and " " not in line else ""
        if not section:
            body.append(line)
        elif section == "Args:" and (found := _ARGUMENT.match(line.strip())):
            last = found[1]
            arguments[last] = found[2]
        elif section == "Args:" and line.strip() and last:
            arguments[last] += f" {line.strip()}"
    return summary, "\n".join(body).strip(), arguments
