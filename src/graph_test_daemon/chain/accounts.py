"""What accounts have, set at will, and who the node signs for; of test nodes only."""

from __future__ import annotations

from .blocks import quantity
from .reading import Reading, hex_of

__all__ = ["Accounts"]

_SLOT = 32


class Accounts(Reading):
    """The part of a chain that changes accounts without transactions."""

    async def set_balance(self, address: str, wei: int) -> None:
        """Set what an address has."""
        await self._test_call("anvil_setBalance", [address, quantity(wei)])

    async def set_code(self, address: str, code: bytes) -> None:
        """Put a contract's code, as it runs, at an address; empty: remove it."""
        await self._test_call("anvil_setCode", [address, hex_of(code)])

    async def set_storage(self, address: str, slot: int, value: int) -> None:
        """Set the 32 bytes of a storage slot to a number."""
        word = hex_of(value.to_bytes(_SLOT, "big"))
        await self._test_call("anvil_setStorageAt", [address, quantity(slot), word])

    async def set_nonce(self, address: str, nonce: int) -> None:
        """Set how many transactions an address is taken to have sent."""
        await self._test_call("anvil_setNonce", [address, quantity(nonce)])

    async def impersonate(self, address: str) -> None:
        """Have the node take transactions of an address whose key nobody has."""
        await self._test_call("anvil_impersonateAccount", [address])

    async def stop_impersonating(self, address: str) -> None:
        """Undo `impersonate`; an address that is not impersonated is left as it is."""
        await self._test_call("anvil_stopImpersonatingAccount", [address])
