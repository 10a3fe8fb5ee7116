"""Receipts and vouchers as JSON: `{"message": {…}, "signature": {"r": …, "s": …, "v": …}}`.

Reading is strict: what is missing, unknown, of another type or out of range is refused by its path.
Numbers are JSON numbers of any size, which many JSON libraries would round; Python's does not.
A signature is also read as newer libraries write it: `v` in hexadecimal digits, or `yParity`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from .errors import InvalidTapMessage
from .receipts import (
    AnyReceipt,
    Message,
    Receipt,
    ReceiptV2,
    Signature,
    Signed,
    SignedReceipt,
    SignedVoucher,
    Voucher,
    VoucherV2,
)

__all__ = [
    "document_of",
    "read_message",
    "read_receipt",
    "read_receipts",
    "read_signed",
    "read_voucher",
]

M = TypeVar("M", bound=Message)

_WORD = re.compile(r"0x[0-9a-fA-F]{1,64}")
_V = {0: 27, 1: 28, 27: 27, 28: 28}


def document_of(signed: Signed[Message]) -> dict[str, Any]:
    """Return the JSON document of a signed receipt or voucher."""
    message, signature = signed.message, signed.signature
    return {
        "message": {field.name: getattr(message, field.attribute) for field in message.fields},
        "signature": {"r": hex(signature.r), "s": hex(signature.s), "v": signature.v},
    }


def read_receipt(document: Any, *, path: str = "receipt") -> SignedReceipt:
    """Read a signed receipt of either version, which its fields tell.

    Raises:
        InvalidTapMessage: it is none.
    """
    if _has(document, "collection_id"):
        return read_signed(ReceiptV2, document, path=path)
    return read_signed(Receipt, document, path=path)


def read_receipts(documents: Any, *, path: str = "receipts") -> list[SignedReceipt]:
    """Read signed receipts, all of one version, which the first one's fields tell.

    Raises:
        InvalidTapMessage: one is none, or of the other version.
    """
    if not isinstance(documents, Sequence) or isinstance(documents, str):
        raise InvalidTapMessage(path=path, cause="it is no list")
    is_second = bool(documents) and _has(documents[0], "collection_id")
    of: type[AnyReceipt] = ReceiptV2 if is_second else Receipt
    return [read_signed(of, one, path=f"{path}[{at}]") for at, one in enumerate(documents)]


def read_voucher(document: Any, *, path: str = "voucher") -> SignedVoucher:
    """Read a signed voucher of either version, which its fields tell.

    Raises:
        InvalidTapMessage: it is none.
    """
    if _has(document, "collectionId"):
        return read_signed(VoucherV2, document, path=path)
    return read_signed(Voucher, document, path=path)


def read_signed(of: type[M], document: Any, *, path: str) -> Signed[M]:
    """Read a signed message of a type.

    Raises:
        InvalidTapMessage: it is none.
    """
    parts = _object(document, ("message", "signature"), path=path)
    message = read_message(of, parts["message"], path=f"{path}.message")
    return Signed(message=message, signature=_signature(parts["signature"], f"{path}.signature"))


def read_message(of: type[M], document: Any, *, path: str) -> M:
    """Read a message of a type.

    Raises:
        InvalidTapMessage: it is none.
    """
    parts = _object(document, tuple(field.name for field in of.fields), path=path)
    try:
        return of(**{field.attribute: parts[field.name] for field in of.fields})
    except InvalidTapMessage as error:
        raise InvalidTapMessage(path=f"{path}.{error.path}", cause=error.cause) from None


def _signature(document: Any, path: str) -> Signature:
    if not isinstance(document, Mapping):
        raise InvalidTapMessage(path=path, cause="it is no object")
    known = ("r", "s", "v", "yParity")
    which = "v" if "v" in document else "yParity"
    parts = _object(document, ("r", "s", which), path=path, also=known)
    try:
        return Signature(
            r=_word(parts["r"], "r"), s=_word(parts["s"], "s"), v=_parity(parts[which], which)
        )
    except InvalidTapMessage as error:
        raise InvalidTapMessage(path=f"{path}.{error.path}", cause=error.cause) from None


def _word(value: Any, path: str) -> int:
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        raise InvalidTapMessage(path=path, cause="it is not 0x and 1 to 64 hexadecimal digits")
    return int(value, 16)


def _parity(value: Any, path: str) -> int:
    number = int(value, 16) if isinstance(value, str) and _WORD.fullmatch(value) else value
    if not isinstance(number, int) or isinstance(number, bool) or number not in _V:
        raise InvalidTapMessage(path=path, cause="it is none of 27, 28, 0 and 1")
    return _V[number]


def _object(
    document: Any, names: Sequence[str], *, path: str, also: Sequence[str] = ()
) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise InvalidTapMessage(path=path, cause="it is no object")
    for name in names:
        if name not in document:
            raise InvalidTapMessage(path=f"{path}.{name}", cause="it is missing")
    for name in document:
        if name not in names and name not in also:
            cause = f"there is no such field; there are {', '.join(names)}"
            raise InvalidTapMessage(path=f"{path}.{str(name)[:80]}", cause=cause)
    return document


def _has(document: Any, name: str) -> bool:
    message = document.get("message") if isinstance(document, Mapping) else None
    return isinstance(message, Mapping) and name in message
