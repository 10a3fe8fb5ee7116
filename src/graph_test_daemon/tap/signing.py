"""Signing receipts and vouchers, and finding out who has signed them.

Source: EIP-712. The library is loaded with the first signature, which takes half a second, and all
of this keeps a processor busy: from async code it goes through a worker thread.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import InvalidSignature, KeyUnusable
from .receipts import Field, Message, Signature, Signed, VoucherV2, checked

if TYPE_CHECKING:
    from graph_test_daemon.eth import SignableMessage

__all__ = ["ACCOUNTS", "Domain", "Key", "Typing", "VoucherOrder"]

ACCOUNTS = 100
"""So many accounts of the test mnemonic can be named by their index."""

_MNEMONIC = "test test test test test test test test test test test junk"
_PATH = "m/44'/60'/0'/0/{}"

M = TypeVar("M", bound=Message)


class VoucherOrder(StrEnum):
    """In which order the signed type of a voucher of version 2 has its two parties.

    The collector contract has the service provider first, some releases of the TAP crates the data
    service. Signatures of one order are another signer's in the other.
    """

    CONTRACT = "contract"
    CRATE = "crate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """Where signatures count.

    Attributes:
        name: `TAP` for version 1, `GraphTallyCollector` for version 2.
        version: of the domain.
        chain_id: of the chain.
        verifying_contract: address of the contract that verifies them.
    """

    name: str = "TAP"
    version: str = "1"
    chain_id: int
    verifying_contract: str

    def __post_init__(self) -> None:
        """Bring the address into its one form.

        Raises:
            InvalidTapMessage: it is none, or the chain's number is out of range.
        """
        checked(self.chain_id, "uint64", path="chain_id")
        address = checked(self.verifying_contract, "address", path="verifying_contract")
        object.__setattr__(self, "verifying_contract", address)

    @property
    def data(self) -> dict[str, Any]:
        """As EIP-712 and the aggregator's protocol have it."""
        return {
            "name": self.name,
            "version": self.version,
            "chainId": self.chain_id,
            "verifyingContract": self.verifying_contract,
        }


class Key:
    """A private key; neither its text nor its representation shows it.

    Args:
        secret: 32 bytes.

    Raises:
        KeyUnusable: it is none.
    """

    def __init__(self, secret: bytes) -> None:
        from graph_test_daemon.eth import Account

        try:
            self._account = Account.from_key(secret)
        except Exception:  # of any type: the library's own text would show the key
            raise KeyUnusable("cannot use the private key: it is none of secp256k1") from None

    @classmethod
    def read(cls, text: str, *, source: str) -> Key:
        """Read a key of 64 hexadecimal digits, with or without 0x.

        Args:
            text: the key; blanks around it do not count.
            source: where it is from, for the error.

        Raises:
            KeyUnusable: it is none.
        """
        try:
            secret = bytes.fromhex(text.strip().removeprefix("0x"))
        except ValueError:
            secret = b""
        if len(secret) != 32:
            raise KeyUnusable(
                f"cannot use the private key from {source}: it is not 64 hexadecimal digits"
            )
        return cls(secret)

    @classmethod
    def from_file(cls, path: Path) -> Key:
        """Read a key from a file that holds nothing else.

        Raises:
            KeyUnusable: the file cannot be read, or holds no key.
        """
        try:
            text = path.read_text(encoding="ascii", errors="replace")
        except OSError as error:
            raise KeyUnusable(f"cannot read a private key from {path}: {error.strerror}") from error
        return cls.read(text, source=str(path))

    @classmethod
    def of_account(cls, index: int) -> Key:
        """Return the key of an account of the mnemonic that test chains begin with.

        Raises:
            KeyUnusable: there is no account of that index.
        """
        if not 0 <= index < ACCOUNTS:
            raise KeyUnusable(
                f"cannot use account {index}: test accounts are numbered 0 to {ACCOUNTS - 1}"
            )
        return _account_key(index)

    def __repr__(self) -> str:
        return f"Key of {self.address}"

    @property
    def address(self) -> str:
        """In lower case."""
        return str(self._account.address).lower()

    def prove(self, digest: str) -> Signature:
        """Sign a hash, 0x-hex, as a message of a wallet, which contracts take for a proof."""
        from graph_test_daemon.eth import encode_defunct

        return self.sign(encode_defunct(hexstr=digest))

    def sign(self, message: SignableMessage) -> Signature:
        """Sign."""
        signed = self._account.sign_message(message)
        return Signature(r=signed.r, s=signed.s, v=signed.v)


@lru_cache(maxsize=ACCOUNTS)
def _account_key(index: int) -> Key:
    from graph_test_daemon.eth import Account

    Account.enable_unaudited_hdwallet_features()
    account = Account.from_mnemonic(_MNEMONIC, account_path=_PATH.format(index))
    return Key(bytes(account.key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Typing:
    """How messages are encoded before they are signed.

    Attributes:
        domain: where signatures count.
        voucher_order: for vouchers of version 2.
    """

    domain: Domain
    voucher_order: VoucherOrder = VoucherOrder.CONTRACT

    def sign(self, message: M, key: Key) -> Signed[M]:
        """Sign a message."""
        return Signed(message=message, signature=key.sign(self._encoded(message)))

    def signer(self, signed: Signed[Message]) -> str:
        """Return the address that has signed a message, in lower case.

        A changed message has a signer, too, whom nobody knows.

        Raises:
            InvalidSignature: it is the signature of no address.
        """
        from graph_test_daemon.eth import Account, BadSignature

        signature = signed.signature
        vrs = (signature.v, signature.r, signature.s)
        try:
            return str(Account.recover_message(self._encoded(signed.message), vrs=vrs)).lower()
        except BadSignature as error:
            raise InvalidSignature(f"cannot tell who has signed it: {error}") from error

    def type_of(self, of: type[Message]) -> str:
        """Return the text of a signed type, whose hash contracts have in their code."""
        fields = (f"{field.type} {field.name}" for field in self._fields(of))
        return f"{of.struct}({','.join(fields)})"

    def with_order(self, order: VoucherOrder) -> Typing:
        """Return the same with another order."""
        return replace(self, voucher_order=order)

    def _encoded(self, message: Message) -> SignableMessage:
        from graph_test_daemon.eth import encode_typed_data

        fields = self._fields(type(message))
        return encode_typed_data(
            domain_data=self.domain.data,
            message_types={
                message.struct: [{"name": field.name, "type": field.type} for field in fields]
            },
            message_data=_values(message, fields),
        )

    def _fields(self, of: type[Message]) -> tuple[Field, ...]:
        if of is not VoucherV2 or self.voucher_order is VoucherOrder.CONTRACT:
            return of.fields
        collection, payer, provider, service, *others = of.fields
        return (collection, payer, service, provider, *others)


def _values(message: Message, fields: tuple[Field, ...]) -> dict[str, Any]:
    values = {field.name: getattr(message, field.attribute) for field in fields}
    return {
        field.name: bytes.fromhex(values[field.name][2:])
        if field.type.startswith("bytes")
        else values[field.name]
        for field in fields
    }
