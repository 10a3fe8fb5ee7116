"""TAP: receipts and vouchers signed and verified, an aggregator, and an escrow that pays them."""

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
from .escrow import Escrow, EscrowAccount, EscrowParameters, deploy_escrow, escrow_of
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
    "Escrow",
    "EscrowAccount",
    "EscrowParameters",
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
    "deploy_escrow",
    "document_of",
    "escrow_of",
    "read_message",
    "read_receipt",
    "read_receipts",
    "read_signed",
    "read_voucher",
]
