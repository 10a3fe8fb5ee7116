"""A shop's daemon: its services, what they can be asked to do, and the command `shop`."""

from __future__ import annotations

from harness.actions import ActionSet, ServiceType, action
from harness.domain import BaseDaemon


class Orders(ServiceType):
    """Takes orders."""

    name = "orders"

    @action()
    async def place(self, item: str, count: int = 1) -> str:
        """Place an order; return what the shop says.

        Args:
            item: what is wanted.
            count: how many of it.
        """
        done = await self.service.run("sh", "-c", 'echo "$0 of $1 at $SHOP"', str(count), item)
        return done.stdout.decode().strip()


class Till(ActionSet):
    """What the shop can be asked as a whole."""

    @action()
    async def sum(self, prices: list[float]) -> float:
        """Add prices up."""
        return sum(prices)


daemon = BaseDaemon(
    "shop",
    at="shop_daemon:daemon",
    stack="shop.yaml",
    service_types=[Orders],
    daemon_actions=[Till],
)


def main() -> None:
    """Be the command `shop`."""
    daemon.main()
