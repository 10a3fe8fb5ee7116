"""The shop, served within the test."""

from __future__ import annotations

from pathlib import Path

import anyio
from shop_daemon import daemon


def test_it_is_sound() -> None:
    daemon.validate()


async def test_orders_are_placed(tmp_path: Path) -> None:
    with anyio.fail_after(30):
        async with daemon.serving(tmp_path) as client:
            operation = await client.services.up(source=daemon.source())
            assert (await client.operations.wait(id=operation["id"]))["state"] == "done"
            answer = await client.actions.run(
                project="shop", service="orders", action="place", parameters={"item": "tea"}
            )
            assert answer == "1 of tea at corner"
            assert await client.actions.run(action="sum", parameters={"prices": [1, 2.5]}) == 3.5
