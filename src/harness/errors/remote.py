"""What goes wrong between a client and the daemon, and with actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Self

from harness.suggestions import suggestion

from .base import HarnessError

__all__ = [
    "AccessError",
    "ActionCancelled",
    "ActionError",
    "ActionFailed",
    "ActionNotFound",
    "ActionTimeout",
    "CertificateInvalid",
    "CertificateNotFound",
    "ContextError",
    "ContextNotFound",
    "DaemonUnavailable",
    "Forbidden",
    "InvalidParameters",
    "ListenFailed",
    "MalformedMessage",
    "MethodNotFound",
    "ProtocolError",
    "RemoteFailure",
    "TokenNotFound",
    "TooManyAttempts",
    "Unauthenticated",
]


# ── actions ──────────────────────────────────────────────────────────────────────────────────────


class ActionError(HarnessError):
    """An action could not do what it is for; authors of actions raise it with their own words."""

    kind = "action-error"


class ActionNotFound(ActionError):
    """There is no action of that name where it was looked for."""

    kind = "action-not-found"

    @classmethod
    def of(cls, name: str, known: Iterable[str], *, where: str) -> Self:
        """Make the error for `name`, with the closest of the known names as a suggestion."""
        names = tuple(known)
        hint = f"it has: {', '.join(names)}" if names else None
        return cls(
            f'cannot find the action "{name}": {where} has none of that name',
            **suggestion(name, names, otherwise=hint),
        )


class ActionFailed(ActionError):
    """An action ended with something that its author did not expect."""

    kind = "action-failed"
    facts = ("action", "cause")

    def __init__(self, *, action: str, cause: str) -> None:
        self.action = action
        self.cause = cause
        super().__init__(
            f"cannot finish {action}: {cause}",
            hint="the daemon's log has the details (harness daemon logs)",
            details={"action": action, "cause": cause},
        )


class ActionCancelled(ActionError):
    """An action was cancelled before it was done."""

    kind = "action-cancelled"
    facts = ("action",)

    def __init__(self, *, action: str) -> None:
        self.action = action
        super().__init__(f"cannot finish {action}: it was cancelled", details={"action": action})


class ActionTimeout(ActionError):
    """An action took longer than it may; it was cancelled."""

    kind = "action-timeout"
    facts = ("action",)

    def __init__(self, *, action: str, limit_s: float) -> None:
        self.action = action
        super().__init__(
            f"cannot finish {action}: it took longer than {limit_s:g} s",
            details={"action": action, "limit_s": limit_s},
        )


# ── protocol, access ─────────────────────────────────────────────────────────────────────────────


class ProtocolError(HarnessError):
    """A message on the wire breaks the protocol."""

    kind = "protocol-error"


class MalformedMessage(ProtocolError):
    """Not JSON, not JSON-RPC 2.0, or too large."""

    kind = "malformed-message"


class MethodNotFound(ProtocolError):
    """No method of that name."""

    kind = "method-not-found"


class InvalidParameters(ProtocolError):
    """The parameters do not fit the method's schema; the message has the path."""

    kind = "invalid-parameters"


class RemoteFailure(ProtocolError):
    """The daemon answered with an error of a kind that this client does not know.

    Attributes:
        remote_kind: the kind the daemon sent.
    """

    kind = "remote-failure"

    def __init__(
        self,
        message: str,
        *,
        remote_kind: str,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message, hint=hint, details=details)
        self.remote_kind = remote_kind


class AccessError(HarnessError):
    """The caller may not do this."""

    kind = "access-error"


class Forbidden(AccessError):
    """The caller is known, and not allowed."""

    kind = "permission-denied"


class Unauthenticated(AccessError):
    """The caller did not show who it is, or what it showed is not, or no more, valid."""

    kind = "unauthenticated"


class TooManyAttempts(AccessError):
    """Logins from this address failed too often; `details["retry_after_s"]` says when to return."""

    kind = "too-many-attempts"


class CertificateInvalid(AccessError):
    """A certificate has expired, is not valid yet, or comes from an authority not trusted here."""

    kind = "certificate-invalid"


class CertificateNotFound(AccessError):
    """No certificate was issued to that name."""

    kind = "certificate-not-found"

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> Self:
        """Make the error for `name`, with the closest of the known names as a suggestion."""
        message = f'cannot revoke the certificate "{name[:80]}": none was issued to that name'
        return cls(message, **suggestion(name, known, otherwise=None))


class TokenNotFound(AccessError):
    """There is no token of that name."""

    kind = "token-not-found"

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> Self:
        """Make the error for `name`, with the closest of the known names as a suggestion."""
        facts = suggestion(name, known, otherwise="`harness token list` shows all")
        return cls(f'cannot find the token "{name[:80]}"', **facts)


class ListenFailed(HarnessError):
    """The daemon cannot listen at an address."""

    kind = "listen-failed"


class ContextError(HarnessError):
    """A context is not usable, or not for this command."""

    kind = "context-error"


class ContextNotFound(ContextError):
    """There is no context of that name."""

    kind = "context-not-found"

    @classmethod
    def of(cls, name: str, known: Iterable[str]) -> Self:
        """Make the error for `name`, with the closest of the known names as a suggestion."""
        facts = suggestion(name, known, otherwise="`harness context list` shows all")
        return cls(f'cannot find the context "{name[:80]}"', **facts)


class DaemonUnavailable(HarnessError):
    """No daemon answers at the endpoint, and none could or may be started."""

    kind = "daemon-unavailable"
