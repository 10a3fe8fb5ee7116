"""Actions on what accounts have."""

from __future__ import annotations

from graph_test_daemon.chain.reading import hex_of
from harness.actions import action

from .connected import LATEST, Connected, block_at, bytes_in

__all__ = ["AccountActions"]


class AccountActions(Connected):
    """Balances, code, storage, nonces, impersonation."""

    @action()
    async def accounts(self) -> list[str]:
        """Return the addresses that the node signs for."""
        async with self._chain() as chain:
            return await chain.accounts()

    @action()
    async def balance(self, *, address: str, at: int | str = LATEST) -> int:
        """Return what an address has, in wei.

        Args:
            address: of the account.
            at: height or name of a block.
        """
        async with self._chain() as chain:
            return await chain.balance(address, block=block_at(at))

    @action()
    async def set_balance(self, *, address: str, wei: int) -> None:
        """Set what an address has.

        Args:
            address: of the account.
            wei: the new balance.
        """
        async with self._chain() as chain:
            await chain.set_balance(address, wei)

    @action()
    async def code(self, *, address: str, at: int | str = LATEST) -> str:
        """Return a contract's code in hexadecimal; `0x` where there is none.

        Args:
            address: of the contract.
            at: height or name of a block.
        """
        async with self._chain() as chain:
            return hex_of(await chain.code(address, block=block_at(at)))

    @action()
    async def set_code(self, *, address: str, code: str) -> None:
        """Put a contract's code at an address.

        Args:
            address: of the contract.
            code: as it runs, in hexadecimal; `0x` removes it.
        """
        async with self._chain() as chain:
            await chain.set_code(address, bytes_in(code))

    @action()
    async def storage(self, *, address: str, slot: int, at: int | str = LATEST) -> str:
        """Return the 32 bytes of a storage slot, in hexadecimal.

        Args:
            address: of the contract.
            slot: its number.
            at: height or name of a block.
        """
        async with self._chain() as chain:
            return hex_of(await chain.storage(address, slot, block=block_at(at)))

    @action()
    async def set_storage(self, *, address: str, slot: int, value: int) -> None:
        """Set the 32 bytes of a storage slot.

        Args:
            address: of the contract.
            slot: its number.
            value: as a number.
        """
        async with self._chain() as chain:
            await chain.set_storage(address, slot, value)

    @action()
    async def nonce(self, *, address: str, at: int | str = LATEST) -> int:
        """Return how many transactions an address has sent.

        Args:
            address: of the account.
            at: height or name of a block.
        """
        async with self._chain() as chain:
            return await chain.nonce(address, block=block_at(at))

    @action()
    async def set_nonce(self, *, address: str, nonce: int) -> None:
        """Set how many transactions an address is taken to have sent.

        Args:
            address: of the account.
            nonce: the number.
        """
        async with self._chain() as chain:
            await chain.set_nonce(address, nonce)

    @action()
    async def impersonate(self, *, address: str) -> None:
        """Have the node take transactions of an address whose key nobody has.

        Args:
            address: of the account.
        """
        async with self._chain() as chain:
            await chain.impersonate(address)

    @action()
    async def stop_impersonating(self, *, address: str) -> None:
        """Have the node refuse transactions of an address again.

        Args:
            address: of the account.
        """
        async with self._chain() as chain:
            await chain.stop_impersonating(address)
