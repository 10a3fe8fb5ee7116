"""An escrow on the chain: payers set tokens aside, signed vouchers are paid from it.

The contract is a small one of this package's own, `contracts/EscrowForTests.sol`: it verifies
vouchers as the protocol's contracts do, pays each allocation once and lets payers take back what
has thawed. It and, where a chain has no token, its token have the same addresses on every chain
where they are deployed with the same parameters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import anyio.to_thread

from graph_test_daemon.chain import Chain
from graph_test_daemon.contracts import Abi, Contract, keccak
from graph_test_daemon.errors import GraphError

from .errors import TapError
from .receipts import Message, SignedVoucher, Voucher, checked
from .signing import Domain, Key

__all__ = ["Escrow", "EscrowAccount", "EscrowParameters", "deploy_escrow", "escrow_of"]

_COMPILED = Path(__file__).parent / "contracts" / "EscrowForTests.json"
_ZERO = f"0x{'0' * 40}"
_SUPPLY = 10_000_000_000 * 10**18

# Deploys code at an address that its hash gives; it is on all test chains and most others.
# Source: EIP-1014, and anvil's default.
_DEPLOYER = "0x4e59b44847b379578588920ca78fbf26c0b4956c"
_SALT = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowParameters:
    """What an escrow is deployed with.

    Attributes:
        token: address of the token that it pays with; None: one of its own, all of it `holder`'s.
        holder: address.
        name: of the domain of its vouchers' signatures.
        version: of that domain.
        thaw_s: how long payers wait until they can take tokens back.
    """

    holder: str
    token: str | None = None
    name: str = "TAP"
    version: str = "1"
    thaw_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowAccount:
    """What a payer has set aside for a receiver, in wei of the token.

    Attributes:
        balance: all of it.
        thawing: the part of it that the payer takes back.
        thaw_end: when, in seconds since the epoch.
    """

    balance: int
    thawing: int
    thaw_end: int


class Escrow:
    """One escrow.

    Args:
        chain: where it is; accounts that send are the node's own.
        address: of the contract.
        token: address of the token that it pays with.
        domain: of its vouchers' signatures.
    """

    def __init__(self, chain: Chain, *, address: str, token: str, domain: Domain) -> None:
        self._chain = chain
        self.address = address
        self.domain = domain
        ours, its = _abi("EscrowForTests"), _abi("TokenForTests")
        self._escrow = Contract(chain, address, ours, name="the escrow", others={token: its})
        self._token = Contract(chain, token, its, name="the token")

    @property
    def token(self) -> str:
        """Address of the token that it pays with."""
        return self._token.address

    # ── the payer ────────────────────────────────────────────────────────────────────────────────

    async def deposit(self, amount: int, *, payer: str, receiver: str) -> EscrowAccount:
        """Set tokens aside for a receiver; return what is set aside now.

        Raises:
            Reverted: the payer has not so many.
        """
        await self._token.send("approve", self.address, amount, sender=payer)
        await self._escrow.send("deposit", receiver, amount, sender=payer)
        return await self.account(payer=payer, receiver=receiver)

    async def authorize_signer(self, signer: Key, *, payer: str, valid_s: int = 3600) -> None:
        """Have a signer's vouchers paid from what a payer has set aside, unless they are.

        Args:
            signer: proves with its key that it agrees.
            payer: whose tokens are paid.
            valid_s: how long the proof may be used, from the newest block on.

        Raises:
            Reverted: it is another payer's signer.
        """
        if await self.payer_of(signer.address) == payer.lower():
            return
        newest = await self._chain.block()
        deadline = (newest.timestamp if newest is not None else 0) + valid_s
        digest = await self._escrow.call("authorizationHash", payer, deadline)
        proof = await anyio.to_thread.run_sync(signer.prove, digest)
        await self._escrow.send(
            "authorizeSigner", signer.address, deadline, proof.encoded, sender=payer
        )

    async def revoke_signer(self, signer: str, *, payer: str) -> None:
        """Have a signer's vouchers not paid any more."""
        await self._escrow.send("revokeSigner", signer, sender=payer)

    async def thaw(self, amount: int, *, payer: str, receiver: str) -> EscrowAccount:
        """Begin to take tokens back; return what is set aside.

        Raises:
            Reverted: there are not so many.
        """
        await self._escrow.send("thaw", receiver, amount, sender=payer)
        return await self.account(payer=payer, receiver=receiver)

    async def withdraw(self, *, payer: str, receiver: str) -> EscrowAccount:
        """Take back what has thawed; return what is set aside now.

        Raises:
            Reverted: nothing thaws, or not for long enough.
        """
        await self._escrow.send("withdraw", receiver, sender=payer)
        return await self.account(payer=payer, receiver=receiver)

    # ── the receiver ─────────────────────────────────────────────────────────────────────────────

    async def redeem(self, voucher: SignedVoucher, *, allocation: Key, receiver: str) -> str:
        """Have a voucher paid; return the transaction's hash.

        Args:
            voucher: of version 1.
            allocation: the key of the allocation, which proves whose it is.
            receiver: sends the transaction and is paid.

        Raises:
            TapError: it is of version 2.
            Reverted: the voucher's signer belongs to no payer, the allocation was paid already, the
                key is not the allocation's, or too little is set aside.
        """
        message = voucher.message
        if not isinstance(message, Voucher):
            raise TapError(
                "cannot redeem the voucher: it is of version 2, which the escrow only verifies"
            )
        digest = await self._escrow.call("allocationHash", receiver, message.allocation_id)
        proof = await anyio.to_thread.run_sync(allocation.prove, digest)
        sent = await self._escrow.send(
            "redeem",
            _values(message),
            voucher.signature.encoded,
            proof.encoded,
            sender=receiver,
        )
        return sent.receipt.transaction

    # ── looking ──────────────────────────────────────────────────────────────────────────────────

    async def account(self, *, payer: str, receiver: str) -> EscrowAccount:
        """Return what a payer has set aside for a receiver."""
        found = await self._escrow.call("accounts", payer, receiver)
        return EscrowAccount(
            balance=found["balance"], thawing=found["thawing"], thaw_end=found["thawEnd"]
        )

    async def token_balance(self, owner: str) -> int:
        """Return how many tokens somebody has, besides what is set aside."""
        return int(await self._token.call("balanceOf", owner))

    async def payer_of(self, signer: str) -> str | None:
        """Return for whom a signer signs; None: for nobody."""
        payer = str(await self._escrow.call("payerOf", signer))
        return None if payer == _ZERO else payer

    async def is_redeemed(self, allocation_id: str) -> bool:
        """Tell whether an allocation was paid."""
        return bool(await self._escrow.call("isRedeemed", allocation_id))

    async def signer_of(self, voucher: SignedVoucher) -> str:
        """Return who has signed a voucher, as the contract sees it.

        Raises:
            Reverted: it is the signature of nobody.
        """
        name = "recoverSigner" if isinstance(voucher.message, Voucher) else "recoverSignerV2"
        values = _values(voucher.message)
        return str(await self._escrow.call(name, values, voucher.signature.encoded))


async def escrow_of(chain: Chain, domain: Domain) -> Escrow:
    """Return the escrow that verifies vouchers of a domain.

    Raises:
        GraphError: what is at its address is not one.
    """
    address = domain.verifying_contract
    if not await chain.code(address):
        raise GraphError(
            f"cannot use the escrow {address}: there is no contract at that address of the chain",
            hint="a task with `task_type: tap-escrow` deploys one",
        )
    contract = Contract(chain, address, _abi("EscrowForTests"), name="the escrow")
    token = str(await contract.call("token"))
    return Escrow(chain, address=address, token=token, domain=domain)


async def deploy_escrow(
    chain: Chain, parameters: EscrowParameters, *, sender: str, only_look: bool = False
) -> Escrow | None:
    """Deploy an escrow, unless it is there; return it.

    Args:
        chain: where.
        parameters: decide the address, too.
        sender: an account of the node that pays for it.
        only_look: deploy nothing; None is returned when it is not there.

    Raises:
        GraphError: the chain has no contract that deploys others at known addresses.
    """
    token = parameters.token
    if token is None:
        holder = checked(parameters.holder, "address", path="holder")
        code = _init_code("TokenForTests", holder, _SUPPLY)
        if not await _is_deployed(chain, code, sender=sender, only_look=only_look):
            return None
        token = _address_of(code)
    code = _init_code(
        "EscrowForTests",
        checked(token, "address", path="token"),
        parameters.name,
        parameters.version,
        parameters.thaw_s,
    )
    if not await _is_deployed(chain, code, sender=sender, only_look=only_look):
        return None
    domain = Domain(
        name=parameters.name,
        version=parameters.version,
        chain_id=await chain.chain_id(),
        verifying_contract=_address_of(code),
    )
    return Escrow(chain, address=domain.verifying_contract, token=token.lower(), domain=domain)


async def _is_deployed(chain: Chain, code: bytes, *, sender: str, only_look: bool) -> bool:
    """Deploy code unless it is there; tell whether it is there now."""
    address = _address_of(code)
    if await chain.code(address):
        return True
    if only_look:
        return False
    if not await chain.code(_DEPLOYER):
        raise GraphError(
            f"cannot deploy the escrow: the chain has no deployer of contracts at {_DEPLOYER}"
        )
    await chain.send(sender=sender, to=_DEPLOYER, data=_SALT + code)
    if not await chain.code(address):
        raise GraphError(f"cannot deploy the escrow: {address} has no code afterwards")
    return True


def _init_code(name: str, *arguments: Any) -> bytes:
    code = bytes.fromhex(_compiled()[name]["bytecode"].removeprefix("0x"))
    return code + _abi(name).constructor.encoded(arguments)


def _address_of(code: bytes) -> str:
    text = b"\xff" + bytes.fromhex(_DEPLOYER[2:]) + _SALT + keccak(code)
    return f"0x{keccak(text)[12:].hex()}"


def _values(message: Message) -> list[Any]:
    return [getattr(message, field.attribute) for field in message.fields]


@cache
def _abi(name: str) -> Abi:
    return Abi(_compiled()[name]["abi"])


@cache
def _compiled() -> Mapping[str, Any]:
    contracts: Mapping[str, Any] = json.loads(_COMPILED.read_text(encoding="utf-8"))["contracts"]
    return contracts
