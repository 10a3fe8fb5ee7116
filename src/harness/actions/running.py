"""Running an action: its parameters are checked, its method is called, and it has one end.

Whatever an author's method does, the caller gets either a result that fits the declared type or an
error that says what went wrong.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

import anyio
from pydantic_core import PydanticSerializationError

from harness.errors import ActionFailed, ActionTimeout, HarnessError, InvalidParameters
from harness.validation import ValidationError, adapter, problems, validated

from .action_set import ActionSet
from .call import ActionEvent, Call
from .declaration import Action

__all__ = ["authors_code", "call_method", "problems_text", "run_action", "with_fields"]

logger = logging.getLogger(__name__)


async def run_action(
    of: ActionSet,
    action: Action,
    parameters: Mapping[str, Any],
    *,
    title: str,
    send: Callable[[ActionEvent], Awaitable[None]],
    timeout_s: float | None = None,
) -> Any:
    """Run an action to its end; return its result as JSON values.

    Cancelling this cancels the method.

    Args:
        of: what has the action.
        action: one of its declared ones.
        parameters: JSON values by name.
        title: what messages call the action, such as `chain.mine`.
        send: takes each event.
        timeout_s: how long it may take; None: as it is declared.

    Raises:
        InvalidParameters: they do not fit; every path is named. Nothing was run.
        ActionTimeout: it took longer than it may.
        ActionFailed: the method raised something, or returned what does not fit.
        HarnessError: what the method raised on purpose.
    """
    arguments = _arguments(action, parameters, title)
    if action.takes_call:
        arguments["call"] = Call(action.name, action.events, send)
    limit_s = action.timeout_s if timeout_s is None else timeout_s
    return await call_method(of, action, arguments, title=title, limit_s=limit_s)


async def call_method(
    of: object,
    action: Action,
    arguments: Mapping[str, Any],
    *,
    title: str,
    limit_s: float | None = None,
) -> Any:
    """Call an action's method with checked arguments; return its result as JSON values.

    Raises:
        ActionTimeout, ActionFailed, HarnessError: as `run_action` does.
    """
    with authors_code(title, limit_s):
        result = await getattr(of, action.method)(**arguments)
    return _result(action, result, title)


@contextmanager
def authors_code(title: str, limit_s: float | None) -> Iterator[None]:
    """Limit what an author's method takes, and turn whatever it raises into an error of ours.

    Raises:
        ActionTimeout: it took longer.
        ActionFailed: it raised what nobody expected.
        HarnessError: what it raised on purpose.
    """
    try:
        with anyio.fail_after(limit_s) as scope:
            yield
    except HarnessError:
        raise
    except (Exception, SystemExit) as error:
        if isinstance(error, TimeoutError) and scope.cancelled_caught:
            raise ActionTimeout(action=title, limit_s=limit_s or 0.0) from None
        logger.exception("Cannot finish %s", title)
        raise ActionFailed(action=title, cause=_cause(error)) from error


def _arguments(action: Action, parameters: Mapping[str, Any], title: str) -> dict[str, Any]:
    try:
        given = validated(action.parameters, parameters)
    except ValidationError as error:
        found = problems(error)
    else:
        return with_fields(action, given)
    raise InvalidParameters(
        f"cannot run {title}: {problems_text(found)}",
        hint=f"`harness action info {title}` shows what it takes",
        details={"action": title, "problems": found},
    )


def with_fields(action: Action, given: Any) -> dict[str, Any]:
    """Return an instance of an action's parameters as its method takes them."""
    if action.whole is not None:
        return {action.whole: given}
    return {item.name: getattr(given, item.name) for item in fields(given)}


def problems_text(found: list[dict[str, str]]) -> str:
    """Return what does not fit as one text."""
    return "; ".join(f"{p['path']}: {p['message']}" if p["path"] else p["message"] for p in found)


def _result(action: Action, result: Any, title: str) -> Any:
    declared = adapter(action.result)
    try:
        return declared.dump_python(declared.validate_python(result), mode="json")
    except ValidationError as error:
        first = problems(error)[0]
        cause = f"its result does not fit: {first['path']} {first['message']}"
    except PydanticSerializationError as error:
        cause = f"its result cannot be written as JSON: {error}"
    raise ActionFailed(action=title, cause=cause)


def _cause(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
