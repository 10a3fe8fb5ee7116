"""Names under which something is remembered, and what of that name there is."""

from __future__ import annotations

from .database import Records
from .documents import R, kind_of
from .errors import RecordInvalid, RecordNotFound

__all__ = ["checked_name", "found"]

_LONGEST = 200


def checked_name(name: str) -> str:
    """Return a name under which something is to be remembered.

    Raises:
        RecordInvalid: it is none.
    """
    if not name or len(name) > _LONGEST or not name.isprintable():
        raise RecordInvalid(
            f"cannot remember anything as {name[:_LONGEST]!r}: it is no name",
            hint=f"names have 1 to {_LONGEST} characters that can be seen",
        )
    return name


def found(records: Records, of: type[R], key: str) -> R:
    """Return one record.

    Raises:
        RecordNotFound: there is none.
    """
    record = records.find(of, key)
    if record is None:
        raise RecordNotFound.of(kind_of(of), key, records.keys(of))
    return record
