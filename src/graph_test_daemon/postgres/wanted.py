"""What a stack file wants on a server, by labels of the service.

labels:
  databases: graph-node, indexer:agent     # each with the role whose it is, if not the user's
  roles: reader, admin:superuser           # roles that may log in; so are owners
  extensions: btree_gist, pg_trgm          # in each database; unless given, graph-node's four
  user: postgres                           # as whom to come; postgres unless given
  password_file: secrets/postgres          # beside the stack file; none unless given
  database: postgres                       # one that is always there
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from .connection import PORT, Address
from .errors import DatabaseError

__all__ = ["LABELS", "Wanted", "address_of"]

LABELS = ("databases", "roles", "extensions", "user", "password_file", "database")

# What graph-node's migrations would install, which takes a superuser.
_EXTENSIONS = ("btree_gist", "pg_trgm", "postgres_fdw", "pg_stat_statements")
_SUPERUSER = "superuser"
_WHAT = "read the labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is wanted.

    Attributes:
        databases: name → the role whose it is; None: the user's.
        roles: name → it is a superuser.
        extensions: to have in each of the databases.
    """

    databases: Mapping[str, str | None] = field(default_factory=dict)
    roles: Mapping[str, bool] = field(default_factory=dict)
    extensions: tuple[str, ...] = _EXTENSIONS

    @classmethod
    def read(cls, labels: Mapping[str, str]) -> Self:
        """Read the labels of a service; those of others are left alone.

        Raises:
            DatabaseError: one is not as it should be.
        """
        databases = dict(_pairs("databases", labels.get("databases", "")))
        roles = {}
        for name, attribute in _pairs("roles", labels.get("roles", "")):
            if attribute not in (None, _SUPERUSER):
                raise DatabaseError(
                    what=_WHAT,
                    cause=f'roles: "{name}:{attribute}" is no role',
                    hint=f"write NAME, or NAME:{_SUPERUSER}",
                )
            roles[name] = attribute is not None
        for owner in databases.values():
            if owner is not None:
                roles.setdefault(owner, False)
        if "extensions" not in labels:
            return cls(databases=databases, roles=roles)
        return cls(databases=databases, roles=roles, extensions=_words(labels["extensions"]))


def address_of(url: str, labels: Mapping[str, str], directory: Path) -> Address:
    """Return where a service is and as whom to come; reads the password's file, if one is named.

    Args:
        url: of the service; of any scheme.
        labels: of the service.
        directory: where relative paths start.

    Raises:
        DatabaseError: the file cannot be read.
    """
    password = None
    if "password_file" in labels:
        path = directory / labels["password_file"]
        try:
            password = path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise DatabaseError(
                what=_WHAT, cause=f"cannot read {path}: {error}", hint="see password_file"
            ) from error
    at = urlsplit(url)
    return Address(
        host=at.hostname or "127.0.0.1",
        port=at.port or PORT,
        user=labels.get("user", "postgres"),
        password=password,
        database=labels.get("database", "postgres"),
    )


def _pairs(label: str, text: str) -> list[tuple[str, str | None]]:
    found = []
    for word in _words(text):
        name, colon, other = (part.strip() for part in word.partition(":"))
        if not name or (colon and not other):
            raise DatabaseError(
                what=_WHAT, cause=f'{label}: "{word}" is neither NAME nor NAME:ROLE'
            )
        found.append((name, other or None))
    return found


def _words(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))
