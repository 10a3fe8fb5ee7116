"""Bearer tokens: made, recognised, listed and revoked.

A token is `hnt_ID_SECRET`. Stored is a hash of the secret, which is 256 random bits: nobody can try
out what it may be, so the hash need not be slow.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from harness.clock import Clock
from harness.errors import InvalidParameters, TokenNotFound, Unauthenticated
from harness.storage import Store

from .principal import Principal, Role

__all__ = ["TokenFacts", "Tokens"]

_COLLECTION = "token"
_VERSION = 1
_PREFIX = "hnt"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_HASH_OF_NOTHING = hashlib.sha256(b"").hexdigest()
_CREATE = "create one with `harness token create NAME --role ROLE` on the daemon's machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """What may be told about a token; never the token."""

    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None


class Tokens:
    """The tokens of a daemon, in its store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def create(self, name: str, role: Role, *, lifetime_s: float | None) -> tuple[str, TokenFacts]:
        """Make a token; it is returned this once and can never be shown again.

        Raises:
            InvalidParameters: the name is none, or taken, or the lifetime is not positive.
        """
        if not _NAME.fullmatch(name):
            raise InvalidParameters(
                f'cannot create the token "{name[:80]}": that is no name',
                hint="use up to 64 letters, digits and ._@-, a letter or digit first",
            )
        if self._find(name) is not None:
            raise InvalidParameters(
                f'cannot create the token "{name}": there is one of that name',
                hint=f"revoke it first (harness token revoke {name}), or take another name",
            )
        identifier, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        facts = TokenFacts(
            name=name,
            role=role,
            created_at=self._clock.now(),
            expires_at=self._expiry(name, lifetime_s),
        )
        self._store.put(
            _COLLECTION,
            identifier,
            {
                "version": _VERSION,
                "name": name,
                "role": role.value,
                "sha256": _hash(secret),
                "created_at": facts.created_at.isoformat(),
                "expires_at": facts.expires_at.isoformat() if facts.expires_at else None,
            },
        )
        return f"{_PREFIX}_{identifier}_{secret}", facts

    def list(self) -> list[TokenFacts]:
        """Return what may be told about every token, expired ones too, oldest first."""
        found = [_facts(record) for record in self._store.records(_COLLECTION).values()]
        return sorted(found, key=lambda facts: facts.created_at)

    def revoke(self, name: str) -> str:
        """Forget a token; return the `key` of the principals that it made.

        Raises:
            TokenNotFound: there is none of that name.
        """
        identifier = self._find(name)
        if identifier is None:
            raise TokenNotFound.of(name, [facts.name for facts in self.list()])
        self._store.delete(_COLLECTION, identifier)
        return _key(identifier)

    def is_known(self, key: str) -> bool:
        """Tell whether the token of a principal's `key` is good still, but for its time."""
        return self._store.record(_COLLECTION, key.removeprefix(_key(""))) is not None

    def principal(self, token: str, *, address: str) -> Principal:
        """Return whom a token stands for.

        That one has expired is only said to who has the whole of it.

        Raises:
            Unauthenticated: it stands for nobody, or no more.
        """
        prefix, _, rest = token.partition("_")
        identifier, _, secret = rest.partition("_")
        record = self._store.record(_COLLECTION, identifier) if prefix == _PREFIX else None
        expected = record["sha256"] if record else _HASH_OF_NOTHING
        # Always compared, in a time that does not tell how much of it fits.
        fits = hmac.compare_digest(_hash(secret), expected)
        if record is None or not fits:
            raise Unauthenticated(
                "cannot log in: the token is not known to the daemon", hint=_CREATE
            )
        facts = _facts(record)
        if facts.expires_at is not None and facts.expires_at <= self._clock.now():
            raise Unauthenticated(
                f'cannot log in: the token "{facts.name}" expired at {facts.expires_at:%F %T} UTC',
                hint=f"create a new one with `harness token create {facts.name}-2 --role"
                f" {facts.role}` on the daemon's machine",
            )
        return Principal(
            name=facts.name,
            role=facts.role,
            how="token",
            address=address,
            key=_key(identifier),
            expires_at=facts.expires_at,
        )

    def _find(self, name: str) -> str | None:
        records = self._store.records(_COLLECTION)
        return next((key for key, record in records.items() if record["name"] == name), None)

    def _expiry(self, name: str, lifetime_s: float | None) -> datetime | None:
        if lifetime_s is None:
            return None
        try:
            if lifetime_s > 0:
                return self._clock.now() + timedelta(seconds=lifetime_s)
        except OverflowError:
            pass
        raise InvalidParameters(
            f'cannot create the token "{name}": it cannot expire after {lifetime_s:g} s',
            hint="give a lifetime such as 12h or 30d, or none for a token that does not expire",
        )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(identifier: str) -> str:
    return f"token:{identifier}"


def _facts(record: Mapping[str, Any]) -> TokenFacts:
    expires_at = record["expires_at"]
    return TokenFacts(
        name=record["name"],
        role=Role(record["role"]),
        created_at=datetime.fromisoformat(record["created_at"]),
        expires_at=datetime.fromisoformat(expires_at) if expires_at else None,
    )
