"""The methods of the aggregator's JSON-RPC, with their parameters and error codes.

Source: the TAP aggregator's JSON-RPC, API version 0.0. Results are `{"data": …}`; a warning would
stand beside it, but no version is deprecated yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread

from .aggregator import Aggregator
from .errors import AggregationRefused, InvalidSignature, InvalidTapMessage
from .receipts import AnyReceipt, AnyVoucher, Receipt, ReceiptV2, SignedReceipt, Voucher, VoucherV2
from .wire import document_of, read_signed

__all__ = ["API_VERSIONS", "CallRefused", "Counts", "Methods"]

API_VERSIONS = ("0.0",)

_UNKNOWN_METHOD = -32601
_INVALID_PARAMETERS = -32602
_INVALID_VERSION = -32001
_AGGREGATION_FAILED = -32002

_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "api_versions": (),
    "eip712domain_info": (),
    "aggregate_receipts": ("api_version", "receipts", "previous_rav"),
    "aggregate_receipts_v2": ("api_version", "receipts", "previous_rav"),
}
_OPTIONAL = ("previous_rav",)

# Signatures keep a processor busy; more at once would only make each slower.
_AT_ONCE = 2


class CallRefused(Exception):
    """A call is answered with an error of JSON-RPC."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        self.code = code
        self.message = message
        self.data = data
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Counts:
    """What has happened so far.

    Attributes:
        calls: by method and error code; 0 where it succeeded.
        sums: by name.
    """

    calls: Counter[tuple[str, int]]
    sums: Counter[str]

    def text(self) -> str:
        """Return them as Prometheus reads them."""
        lines = ["# TYPE tap_aggregator_calls_total counter"]
        for (method, code), count in sorted(self.calls.items()):
            labels = f'method="{method}",code="{code}"'
            lines.append(f"tap_aggregator_calls_total{{{labels}}} {count}")
        for name in ("vouchers", "receipts", "value"):
            lines.append(f"# TYPE tap_aggregator_{name}_total counter")
            lines.append(f"tap_aggregator_{name}_total {self.sums[name]}")
        return "".join(f"{line}\n" for line in lines)


class Methods:
    """Answers calls.

    Args:
        aggregator: signs vouchers.
    """

    def __init__(self, aggregator: Aggregator) -> None:
        self._aggregator = aggregator
        self._limiter: anyio.CapacityLimiter | None = None
        self.counts = Counts(Counter(), Counter())

    async def call(self, method: str, params: Any) -> Any:
        """Call a method and return its result.

        Raises:
            CallRefused: there is no such method, its parameters do not fit, or it refuses.
        """
        known = method if method in _PARAMETERS else "unknown"
        try:
            result = await self._call(method, params)
        except CallRefused as refused:
            self.counts.calls[known, refused.code] += 1
            raise
        self.counts.calls[known, 0] += 1
        return result

    async def _call(self, method: str, params: Any) -> Any:
        if method not in _PARAMETERS:
            raise CallRefused(_UNKNOWN_METHOD, f"there is no method {method[:80]!r}")
        given = _bound(_PARAMETERS[method], params)
        match method:
            case "api_versions":
                return {"data": _versions()}
            case "eip712domain_info":
                return {"data": self._aggregator.domain.data}
            case "aggregate_receipts":
                return {"data": await self._aggregate(given, Receipt, Voucher)}
            case _:
                return {"data": await self._aggregate(given, ReceiptV2, VoucherV2)}

    async def _aggregate(
        self, given: Mapping[str, Any], receipt: type[AnyReceipt], voucher: type[AnyVoucher]
    ) -> dict[str, Any]:
        version = given["api_version"]
        if version not in API_VERSIONS:
            raise CallRefused(_INVALID_VERSION, f"unsupported API version {version!r}", _versions())
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(_AT_ONCE)
        return await anyio.to_thread.run_sync(
            self._aggregated, given, receipt, voucher, limiter=self._limiter
        )

    def _aggregated(
        self, given: Mapping[str, Any], receipt: type[AnyReceipt], voucher: type[AnyVoucher]
    ) -> dict[str, Any]:
        try:
            receipts = _read_all(receipt, given["receipts"])
            last = given.get("previous_rav")
            previous = None if last is None else read_signed(voucher, last, path="previous_rav")
            signed = self._aggregator.voucher(receipts, previous)
        except InvalidTapMessage as error:
            raise CallRefused(_INVALID_PARAMETERS, str(error)) from error
        except AggregationRefused as error:
            data = {"rule": error.rule}
            raise CallRefused(_AGGREGATION_FAILED, error.cause, data) from error
        except InvalidSignature as error:
            raise CallRefused(_AGGREGATION_FAILED, str(error)) from error
        self.counts.sums["vouchers"] += 1
        self.counts.sums["receipts"] += len(receipts)
        self.counts.sums["value"] += sum(one.message.value for one in receipts)
        return document_of(signed)


def _read_all(of: type[AnyReceipt], documents: Any) -> list[SignedReceipt]:
    if not isinstance(documents, list):
        raise InvalidTapMessage(path="receipts", cause="it is no list")
    return [read_signed(of, one, path=f"receipts[{at}]") for at, one in enumerate(documents)]


def _versions() -> dict[str, list[str]]:
    return {"versions_supported": list(API_VERSIONS), "versions_deprecated": []}


def _bound(names: Sequence[str], params: Any) -> Mapping[str, Any]:
    """Return parameters by name, given as a list or as an object."""
    if isinstance(params, Mapping):
        given = params
    else:
        if len(params) > len(names):
            raise CallRefused(_INVALID_PARAMETERS, f"it takes {len(names)}, not {len(params)}")
        given = dict(zip(names, params, strict=False))
    for name in given:
        if name not in names:
            raise CallRefused(_INVALID_PARAMETERS, f"there is no parameter {name[:80]!r}")
    for name in names:
        if name not in given and name not in _OPTIONAL:
            raise CallRefused(_INVALID_PARAMETERS, f"the parameter {name!r} is missing")
    return given
