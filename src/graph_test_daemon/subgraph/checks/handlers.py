"""Handlers: what they are called for is in the ABI, and their functions are in the mapping."""

from __future__ import annotations

from collections.abc import Iterable

from graph_test_daemon.subgraph.abi import Abi, AbiUnreadable, read_abi
from graph_test_daemon.subgraph.manifest import DataSource, Handler, HandlerKind, SourceKind
from graph_test_daemon.subgraph.mapping import exported_functions
from harness.suggestions import did_you_mean

from .subject import Subject

__all__ = ["check_handlers"]

_FILTERS = ("call", "polling", "once")


def check_handlers(subject: Subject) -> None:
    """Tell of ABIs, events, functions and handlers that are not there."""
    for source in subject.manifest.sources:
        abis = _abis(subject, source)
        _own_abi(subject, source)
        exported = _exported(subject, source)
        if not source.handlers:
            message = f'"{source.name}" has no handlers'
            subject.error(message, *source.path, "mapping", hint="add eventHandlers: …")
        for handler in source.handlers:
            _trigger(subject, source, handler, abis.get(source.abi or ""))
            _function(subject, source, handler, exported)


def _abis(subject: Subject, source: DataSource) -> dict[str, Abi]:
    """Read all ABIs of a data source that can be read."""
    read = {}
    for at, (name, file) in enumerate(source.abis.items()):
        where = (*source.path, "mapping", "abis", at, "file")
        path = subject.manifest.directory / file
        try:
            read[name] = read_abi(path)
        except AbiUnreadable as error:
            subject.error(f'the ABI "{name}", {file}, is none: {error}', *where)
        except OSError as error:
            beside = path.parent.glob("*.json") if path.parent.is_dir() else ()
            hint = did_you_mean(path.name, [each.name for each in beside])
            subject.error(_unreadable(f'the ABI "{name}"', file, error), *where, hint=hint)
    return read


def _own_abi(subject: Subject, source: DataSource) -> None:
    if source.kind is not SourceKind.CHAIN:
        return
    where = (*source.path, "source")
    if source.abi is None:
        hint = f"name one of {', '.join(source.abis) or 'mapping.abis'}"
        subject.error('"abi" is missing: the contract\'s own', *where, hint=hint)
    elif source.abi not in source.abis:
        message = f'the ABI "{source.abi}" is not among mapping.abis'
        subject.unknown(message, source.abi, source.abis, *where, "abi")


def _exported(subject: Subject, source: DataSource) -> frozenset[str] | None:
    """Return the functions that the mapping exports, or None where it cannot be read."""
    if source.file is None:
        return None
    try:
        return exported_functions(subject.manifest.directory / source.file)
    except OSError as error:
        where = (*source.path, "mapping", "file")
        subject.error(_unreadable("the mapping", source.file, error), *where)
        return None


def _trigger(subject: Subject, source: DataSource, handler: Handler, abi: Abi | None) -> None:
    match handler.kind:
        case HandlerKind.BLOCK:
            _filter(subject, handler)
        case HandlerKind.EVENT if abi is not None:
            _signature(subject, source, handler, "event", abi.events)
        case HandlerKind.CALL if abi is not None:
            _signature(subject, source, handler, "function", abi.functions)
        case _:
            pass


def _signature(
    subject: Subject, source: DataSource, handler: Handler, what: str, known: Iterable[str]
) -> None:
    if handler.trigger is None:
        subject.error(f'"{what}" is missing', *handler.path, hint="the signature as in the ABI")
    elif handler.trigger not in known:
        name = handler.trigger.partition("(")[0]
        alike = [each for each in known if each.startswith(f"{name}(")]
        subject.error(
            f'the ABI "{source.abi}" has no {what} {handler.trigger}',
            *handler.path,
            what,
            hint=f"it has {', '.join(alike)}" if alike else did_you_mean(handler.trigger, known),
        )


def _filter(subject: Subject, handler: Handler) -> None:
    given = handler.options.get("filter")
    if given is None:
        return
    kind, where = given.get("kind") if isinstance(given, dict) else None, (*handler.path, "filter")
    if kind not in _FILTERS:
        message = f'there is no filter of the kind "{kind}" for blocks'
        subject.unknown(message, str(kind), _FILTERS, *where, "kind")
    elif kind == "polling" and not _is_positive(given.get("every")):
        hint = "every: a number of blocks, 1 or more"
        subject.error('a polling filter needs "every"', *where, hint=hint)


def _function(
    subject: Subject, source: DataSource, handler: Handler, exported: frozenset[str] | None
) -> None:
    if not handler.name:
        subject.error('"handler" is missing', *handler.path, hint="the name of a function")
    elif exported is not None and handler.name not in exported:
        message = f"{source.file} exports no function {handler.name}"
        subject.unknown(message, handler.name, sorted(exported), *handler.path, "handler")


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and value > 0


def _unreadable(what: str, file: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{what}, {file}, is missing"
    return f"{what}, {file}, cannot be read: {error.strerror}"
