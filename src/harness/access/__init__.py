"""Who may ask what of a daemon: roles, tokens, certificates, failed logins and the audit log.

Knows no connection and no method. Most daemons serve their own user over a unix socket and need
none of it, so each part is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

if TYPE_CHECKING:
    from .attempts import FailedLogins
    from .audit import AuditEntry, AuditLog, read_audit
    from .authority import Authority
    from .certificates import CertificateFacts
    from .principal import LOCAL_ADMIN, Principal, Role
    from .tls import (
        SecureStream,
        certificate_key,
        check_own_certificate,
        client_context,
        explained_tls_error,
        keep_alive,
        principal_of_certificate,
        server_context,
    )
    from .tokens import TokenFacts, Tokens

__all__ = [
    "LOCAL_ADMIN",
    "AuditEntry",
    "AuditLog",
    "Authority",
    "CertificateFacts",
    "FailedLogins",
    "Principal",
    "Role",
    "SecureStream",
    "TokenFacts",
    "Tokens",
    "certificate_key",
    "check_own_certificate",
    "client_context",
    "explained_tls_error",
    "keep_alive",
    "principal_of_certificate",
    "read_audit",
    "server_context",
]

_PLACES = {
    "LOCAL_ADMIN": "principal",
    "AuditEntry": "audit",
    "AuditLog": "audit",
    "Authority": "authority",
    "CertificateFacts": "certificates",
    "FailedLogins": "attempts",
    "Principal": "principal",
    "Role": "principal",
    "SecureStream": "tls",
    "TokenFacts": "tokens",
    "Tokens": "tokens",
    "certificate_key": "tls",
    "check_own_certificate": "tls",
    "client_context": "tls",
    "explained_tls_error": "tls",
    "keep_alive": "tls",
    "principal_of_certificate": "tls",
    "read_audit": "audit",
    "server_context": "tls",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
