"""TAP: receipts and vouchers signed and verified, and an aggregator."""

from .aggregation import aggregate, check_signer
from .aggregator import Aggregator
from .client import AggregatorClient
from .errors import (
    AggregationRefused,
    ApiVersionUnsupported,
    InvalidSignature,
    InvalidTapMessage,
    KeyUnusable,
    Rule,
    TapError,
)
from .receipts import (
    Message,
    Receipt,
    ReceiptV2,
    Signature,
    Signed,
    SignedReceipt,
    SignedVoucher,
    Voucher,
    VoucherV2,
    collection_of,
)
from .signing import Domain, Key, Typing, VoucherOrder
from .wire import document_of, read_message, read_receipt, read_receipts, read_signed, read_voucher

__all__ = [
    "AggregationRefused",
    "Aggregator",
    "AggregatorClient",
    "ApiVersionUnsupported",
    "Domain",
    "InvalidSignature",
    "InvalidTapMessage",
    "Key",
    "KeyUnusable",
    "Message",
    "Receipt",
    "ReceiptV2",
    "Rule",
    "Signature",
    "Signed",
    "SignedReceipt",
    "SignedVoucher",
    "TapError",
    "Typing",
    "Voucher",
    "VoucherOrder",
    "VoucherV2",
    "aggregate",
    "check_signer",
    "collection_of",
    "document_of",
    "read_message",
    "read_receipt",
    "read_receipts",
    "read_signed",
    "read_voucher",
]
