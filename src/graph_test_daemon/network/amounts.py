"""Amounts of tokens: people say GRT, contracts and results say wei."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation

from .errors import InvalidAmount

__all__ = ["wei"]

_PLACES = 18
_WEI = Decimal(1).scaleb(-_PLACES)
_EXACT = Context(prec=120, traps=[Inexact])
_LIMIT = (1 << 256) // 10**_PLACES


def wei(tokens: Decimal | int | str) -> int:
    """Return an amount of tokens in wei.

    Args:
        tokens: GRT, such as `100000` or `0.5`.

    Raises:
        InvalidAmount: it is no number, is negative, too large, or has more than 18 places.
    """
    value = _number(tokens)
    if value < 0:
        raise InvalidAmount(text=str(tokens), cause="it is negative")
    if value >= _LIMIT:
        raise InvalidAmount(text=str(tokens), cause="it is too large")
    try:
        return int(value.quantize(_WEI, context=_EXACT).scaleb(_PLACES, _EXACT))
    except Inexact as error:
        cause = f"tokens have {_PLACES} places"
        raise InvalidAmount(text=str(tokens), cause=cause) from error


def _number(tokens: Decimal | int | str) -> Decimal:
    try:
        value = Decimal(tokens)
    except InvalidOperation as error:
        raise InvalidAmount(text=str(tokens), cause="it is no number") from error
    if not value.is_finite():
        raise InvalidAmount(text=str(tokens), cause="it is no number")
    return value
