"""An aggregator of receipts over its JSON-RPC, whoever wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from graph_test_daemon.errors import RpcFault, Unreachable
from graph_test_daemon.rpc import JsonRpc

from .aggregation import aggregate
from .errors import AggregationRefused, ApiVersionUnsupported, InvalidTapMessage, Rule, TapError
from .receipts import AnyVoucher, ReceiptV2, SignedReceipt, SignedVoucher, Voucher, VoucherV2
from .signing import Domain
from .wire import document_of, read_signed

__all__ = ["AggregatorClient"]

_S_PER_RECEIPT = 0.05  # ten times of what one takes, for machines that are busy


class AggregatorClient:
    """One aggregator.

    Args:
        url: where it is.
        version: of its API.
        timeout_s: how long an answer may take, and a little more for each receipt.
    """

    def __init__(self, url: str, *, version: str = "0.0", timeout_s: float = 30.0) -> None:
        self._rpc = JsonRpc(url, timeout_s=timeout_s)
        self._version = version
        self._timeout_s = timeout_s

    @property
    def url(self) -> str:
        """Where it is."""
        return self._rpc.url

    async def aclose(self) -> None:
        """Close its connections; it may be used again."""
        await self._rpc.aclose()

    async def versions(self) -> list[str]:
        """Return the versions of its API that it supports."""
        data = await self._call("api_versions")
        return list(map(str, _part(self.url, data, "versions_supported")))

    async def domain(self) -> Domain:
        """Return where its vouchers count.

        Raises:
            Unreachable: it told none.
        """
        data = await self._call("eip712domain_info")
        chain_id = _part(self.url, data, "chainId")
        try:
            return Domain(
                name=str(_part(self.url, data, "name")),
                version=str(_part(self.url, data, "version")),
                # Some aggregators write it as hexadecimal digits.
                chain_id=int(chain_id, 16) if isinstance(chain_id, str) else chain_id,
                verifying_contract=_part(self.url, data, "verifyingContract"),
            )
        except (InvalidTapMessage, ValueError) as error:
            raise Unreachable(url=self.url, cause=f"its domain is none: {error}") from error

    async def aggregate(
        self,
        receipts: Sequence[SignedReceipt],
        previous: SignedVoucher | None = None,
    ) -> SignedVoucher:
        """Have receipts made a voucher; what comes back is checked to be theirs.

        Args:
            receipts: of one version, which decides the method that is called.
            previous: the voucher before them.

        Raises:
            AggregationRefused: the aggregator refused them.
            RpcFault: it takes one of them for malformed.
            ApiVersionUnsupported: it does not speak this version.
            TapError: its voucher is not the one of these receipts.
        """
        is_second = bool(receipts) and isinstance(receipts[0].message, ReceiptV2)
        of: type[AnyVoucher] = VoucherV2 if is_second else Voucher
        data = await self._call(
            "aggregate_receipts_v2" if is_second else "aggregate_receipts",
            self._version,
            [document_of(one) for one in receipts],
            None if previous is None else document_of(previous),
            timeout_s=self._timeout_s + _S_PER_RECEIPT * len(receipts),
        )
        try:
            voucher = read_signed(of, data, path="voucher")
        except InvalidTapMessage as error:
            raise Unreachable(url=self.url, cause=f"its voucher is none: {error}") from error
        expected = aggregate(receipts, previous)
        found = voucher.message
        if (found.id, found.timestamp_ns, found.value_aggregate) != (
            expected.id,
            expected.timestamp_ns,
            expected.value_aggregate,
        ):
            raise TapError(
                f"cannot use the voucher of {self.url}: it is {found}, and that of the receipts "
                f"is {expected}"
            )
        return voucher

    async def _call(self, method: str, *params: Any, timeout_s: float | None = None) -> Any:
        try:
            answer = await self._rpc.call(method, params, timeout_s=timeout_s)
        except RpcFault as fault:
            raise self._mapped(fault) from fault
        return _part(self.url, answer, "data")

    def _mapped(self, fault: RpcFault) -> TapError | RpcFault:
        data = fault.data if isinstance(fault.data, dict) else {}
        match fault.code:
            case -32001:
                supported = data.get("versions_supported", [])
                return ApiVersionUnsupported(version=self._version, supported=supported)
            case -32002:
                told = data.get("rule")
                rule = Rule(told) if told in set(Rule) else None
                return AggregationRefused(rule=rule, cause=fault.message)
            case _:
                return fault


def _part(url: str, answer: Any, name: str) -> Any:
    if not isinstance(answer, dict) or name not in answer:
        raise Unreachable(url=url, cause=f"its answer has no {name}")
    return answer[name]
