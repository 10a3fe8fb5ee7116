"""Words of a command line to an action's parameters, as its JSON Schema says."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from harness.suggestions import nearest

from .arguments import complete
from .commands import Command

__all__ = ["named_options", "parse_arguments", "shape"]

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_PATH = "path"
_DURATION = "seconds"
_SIMPLE = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false"}


def named_options(what: str) -> type[Command]:
    """Return a class of commands whose options are also those of what they name.

    Args:
        what: completes these options; see `names.py`.
    """

    class NamedOptions(Command):
        def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
            from click.shell_completion import CompletionItem

            found = complete(what)(ctx, self.params[0], incomplete)
            return [*map(CompletionItem, found), *super().shell_complete(ctx, incomplete)]

    return NamedOptions


def parse_arguments(
    words: Sequence[str], schema: Mapping[str, Any], *, title: str
) -> dict[str, Any]:
    """Return parameters by name; an option wins over the same name in a JSON object.

    Args:
        words: `--name value`, `--name=value`, `--flag`, `--no-flag`, `{…}`, `@FILE` or `@-`.
        schema: JSON Schema of the parameters, an object.
        title: of the action, for messages.

    Raises:
        UsageError: a word cannot be understood.
    """
    known = schema.get("properties", {})
    whole: dict[str, Any] = {}
    given: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        if not word.startswith("--"):
            whole |= _object(word, schema)
            continue
        flag, has_value, value = word[2:].partition("=")
        name = flag.replace("-", "_")
        if name not in known and name.startswith("no_") and _is_switch(known, name[3:], schema):
            given[name[3:]] = False
            continue
        if name not in known:
            raise click.UsageError(_unknown(flag, known, title))
        own = known[name]
        if _is_switch(known, name, schema) and not has_value:
            given[name] = True
            continue
        text = value if has_value else next(rest, None)
        if text is None:
            raise click.UsageError(f"--{flag} needs a value: {shape(own, schema)}")
        _put(given, name, text, own, schema)
    return whole | given


def shape(own: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Return a JSON Schema in a few words, such as `list of text`.

    Args:
        own: what is described.
        schema: where its definitions are.
    """
    own = _resolved(own, schema)
    if own.get("format") == _DURATION:
        return "duration"
    if "anyOf" in own:
        return " or ".join(shape(choice, schema) for choice in own["anyOf"])
    if "enum" in own:
        return "|".join(str(choice) for choice in own["enum"])
    if "const" in own:
        return json.dumps(own["const"])
    kind = own.get("type")
    if kind == "array":
        return f"list of {shape(own.get('items', {}), schema)}"
    if kind == "object":
        fields = own.get("properties")
        return f"{{{', '.join(fields)}}}" if fields else "object"
    if own.get("format") == _PATH:
        return "path"
    return "nothing" if kind == "null" else _SIMPLE.get(str(kind), "any JSON value")


def _put(
    given: dict[str, Any], name: str, text: str, own: Mapping[str, Any], schema: Mapping[str, Any]
) -> None:
    """Add the value of one option; one that is a list may be given again and again."""
    array = next((k for k in _kinds(own, schema) if k.get("type") == "array"), None)
    if array is None or text.startswith("["):
        given[name] = _value(text, own, schema)
        return
    items = given.setdefault(name, [])
    items.append(_value(text, array.get("items", {}), schema))


def _value(text: str, own: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Return a word as a JSON value of the kind that is wanted; the daemon judges what it is not.

    Text stays what it is where text may stand, but for the null of what may be nothing, and for a
    path, which starts where the command runs: the daemon would have it start elsewhere.
    """
    found = list(_kinds(own, schema))
    kinds = {kind.get("type") for kind in found}
    if text == "null" and "null" in kinds:
        return None
    if any(kind.get("format") == _PATH for kind in found):
        return os.path.abspath(text)
    if "string" in kinds:
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def _kinds(own: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    own = _resolved(own, schema)
    for choice in own.get("anyOf", (own,)):
        yield _resolved(choice, schema)


def _resolved(own: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = own.get("$ref")
    if reference is None:
        return own
    found: Mapping[str, Any] = schema.get("$defs", {}).get(reference.rpartition("/")[2], {})
    return found


def _is_switch(known: Mapping[str, Any], name: str, schema: Mapping[str, Any]) -> bool:
    return name in known and any(k.get("type") == "boolean" for k in _kinds(known[name], schema))


def _unknown(flag: str, known: Mapping[str, Any], title: str) -> str:
    names = [name.replace("_", "-") for name in known]
    if close := nearest(flag, names):
        return f"{title} takes no --{flag}; did you mean --{close}?"
    if not names:
        return f"{title} takes no --{flag}; it takes no parameters"
    return f"{title} takes no --{flag}; it takes {', '.join(f'--{name}' for name in names)}"


def _object(word: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    text = word
    if word.startswith("@"):
        try:
            text = sys.stdin.read() if word == "@-" else _read(word[1:])
        except OSError as error:
            raise click.UsageError(f"cannot read {word[1:]}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise click.UsageError(f"cannot read {word[1:]}: it is not UTF-8") from error
    elif not word.lstrip().startswith(("{", "[")):
        only = _only_text(schema)
        advice = f"did you mean --{only} {shlex.quote(word)}?" if only else "--NAME VALUE gives one"
        raise click.UsageError(f"{word!r} is neither an option nor a JSON object; {advice}")
    try:
        value = json.loads(text)
    except ValueError as error:
        what = f"{word[1:]} holds" if word.startswith("@") else f"{word!r} is"
        raise click.UsageError(f"{what} no JSON object: {error}") from error
    if not isinstance(value, dict):
        raise click.UsageError(f"parameters are one JSON object, not {word!r}")
    return value


def _only_text(schema: Mapping[str, Any]) -> str | None:
    """Return the option of the only parameter that must be given, if it is a text."""
    required, known = schema.get("required", ()), schema.get("properties", {})
    if len(required) != 1:
        return None
    kinds = {kind.get("type") for kind in _kinds(known[required[0]], schema)}
    return str(required[0]).replace("_", "-") if "string" in kinds else None


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()
