"""From a method's name and parameters to its answer; the one place that turns failures into errors.

Knows no method by itself: handlers come as a mapping, and everything about a method that both
sides share is in `harness.protocol.METHODS`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness.access import AuditEntry, Principal, Role
from harness.errors import Forbidden, HarnessError, MethodNotFound
from harness.protocol import (
    ADMIN_PARAMETERS,
    INTERNAL_ERROR,
    MAX_MESSAGE_BYTES,
    METHODS,
    ErrorResponse,
    Request,
    Response,
    encode,
    error_to_wire,
    parse_params,
)
from harness.suggestions import guess

from .json_values import json_value

if TYPE_CHECKING:
    from .session import Call

__all__ = ["Dispatcher", "Handler", "outlives_connection", "permit"]

logger = logging.getLogger(__name__)

Handler = Callable[[Any, "Call"], Awaitable[Any]]
"""Takes a method's parameters and the call it is for; returns its result."""

_GOES_ON = frozenset({"exec.write", "exec.close_stdin", "exec.resize"})
"""Methods that go on with a call that is in the audit log: one for each key that is pressed."""


def outlives_connection(method: str) -> bool:
    """Tell whether a call goes on when its caller vanishes: it changes more than its connection.

    Input does not: its writer is gone, and the service may never read it. Nor does an action, whose
    result nobody would get.
    """
    found = METHODS.get(method)
    ends = method.startswith(("exec.", "actions.")) or method == "services.write"
    return found is not None and found.changes and not ends


def permit(principal: Principal, method: str, params: Mapping[str, Any]) -> None:
    """Return when a caller may call a method; the one place that decides it.

    Raises:
        Forbidden: it may not.
    """
    named = any(params.get(name) is not None for name in ADMIN_PARAMETERS)
    needed = Role.ADMIN if named else METHODS[method].role
    if not principal.role.includes(needed):
        raise Forbidden(
            f'cannot call {method}: "{principal.name}" is {_article(principal.role)}, and it needs '
            f"{_article(needed)}",
            hint=f"use a token or certificate whose role is {needed}",
            details={"method": method, "role": principal.role.value, "needed": needed.value},
        )
    flag = METHODS[method].only_local
    if flag and params.get(flag) and not principal.is_local:
        raise Forbidden(
            f"cannot call {method} with {flag}: secrets are shown on the daemon's machine only",
            hint="log in there, or leave it out",
            details={"method": method, "parameter": flag},
        )


class Dispatcher:
    """Answers calls.

    Args:
        handlers: by method; each must be in `METHODS`.
        audit: takes note of calls that change something, and of those that were not allowed.
        masked: replaces the secrets of all projects in JSON values; errors hold what others said.
    """

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        *,
        audit: Callable[[AuditEntry], None] = lambda _: None,
        masked: Callable[[Any], Any] = lambda value: value,
    ) -> None:
        self._audit = audit
        self._masked = masked
        unknown = [name for name in handlers if name not in METHODS]
        if unknown:
            raise ValueError(f"no such methods: {', '.join(unknown)}")
        self._handlers = dict(handlers)

    async def answer(self, request: Request, call: Call) -> str:
        """Call the method and return the answer as text; whatever happens, there is one."""
        try:
            result = await self._call(request.method, request.params, call)
            text = encode(Response(request.id, json_value(result)))
            if len(text) > MAX_MESSAGE_BYTES:
                raise HarnessError(
                    f"cannot answer {request.method}: the answer is larger than "
                    f"{MAX_MESSAGE_BYTES} bytes",
                    hint="ask for less at once",
                )
            self._note(request, call, "ok")
        except Exception as error:
            self._note_error(request, call, error)
            if not isinstance(error, HarnessError):
                logger.exception("Cannot answer %s", request.method)
            return encode(ErrorResponse(request.id, self.error(request.method, error)))
        except BaseException:
            # The caller has left, or the daemon ends; what was done by then may be much.
            self._note(request, call, "cancelled")
            raise
        return text

    def error(self, what: str, error: Exception) -> dict[str, Any]:
        """Return an error as a client is told it: without secrets.

        Args:
            what: could not be answered.
            error: why; of a defect only its name is told.
        """
        document: dict[str, Any] = self._masked(_error_document(what, error))
        return document

    def _note_error(self, request: Request, call: Call, error: Exception) -> None:
        if isinstance(error, HarnessError):
            self._note(request, call, error.kind, str(error), always=isinstance(error, Forbidden))
        else:
            self._note(request, call, INTERNAL_ERROR)

    def _note(
        self, request: Request, call: Call, result: str, message: str = "", *, always: bool = False
    ) -> None:
        method = METHODS.get(request.method)
        if always or (method is not None and method.changes and request.method not in _GOES_ON):
            self._audit(
                AuditEntry(
                    who=call.session.principal,
                    what=request.method,
                    params=request.params,
                    result=result,
                    message=message,
                )
            )

    async def _call(self, method: str, params: Mapping[str, Any], call: Call) -> Any:
        handler = self._handlers.get(method)
        if handler is None:
            raise MethodNotFound(
                f'cannot call "{method[:100]}": there is no such method',
                hint=guess(method, self._handlers) or "rpc.discover lists them",
                details={"method": method[:100]},
            )
        permit(call.session.principal, method, params)
        return await handler(parse_params(METHODS[method].params, params, method=method), call)


def _article(role: str) -> str:
    return f"a {role}" if role == "viewer" else f"an {role}"


def _error_document(method: str, error: Exception) -> dict[str, Any]:
    """Return an error as on the wire; of a defect only its name, its traceback is for the log."""
    if isinstance(error, HarnessError):
        wire: dict[str, Any] = json_value(error_to_wire(error))
        return wire
    return {
        "code": -32603,
        "message": f"cannot answer {method}: {type(error).__name__} in the daemon",
        "data": {"kind": INTERNAL_ERROR, "hint": "the daemon's log has the details", "details": {}},
    }
