"""What users of the client must not write."""

from __future__ import annotations

from harness.client import connect


async def look() -> None:
    """Make every mistake once."""
    async with connect() as client:
        status = await client.services.status()  # E: call-arg
        print(status["unit"])  # E: typeddict-item
        for unit in status["services"]:
            print(unit["pid"] + 1)  # E: operator
            print(unit["url"])  # E: typeddict-item
        await client.services.stop(project="shop", units=1)  # E: arg-type
        await client.actions.run("mine")  # E: call-arg
        client.services.restrat(project="shop")  # E: attr-defined
