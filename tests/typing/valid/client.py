"""What users of the client write."""

from __future__ import annotations

from harness.client import BlockingClient, Client, connect, make_source


async def bring_up() -> str:
    """Use everything that is typed."""
    async with connect(reconnect=True) as client:
        operation = await client.services.up(source=make_source())
        ended = await client.operations.wait(id=operation["id"])
        outcomes = {result["unit"]: result["outcome"] for result in ended["results"]}
        return ", ".join(outcomes) + await _first_url(client, operation["project"])


async def _first_url(client: Client, project: str) -> str:
    status = await client.services.status(project=project)
    urls = [e["url"] for unit in status["services"] for e in unit["endpoints"].values()]
    async with client.events.subscribe(project=project) as events:
        async for event in events:
            return event["kind"] + urls[0]
    async with client.logs.read(project=project, tail=3) as chunks:
        async for chunk in chunks:
            return chunk["text"]
    return ""


def without_a_loop() -> None:
    """Use the blocking one."""
    with BlockingClient() as client:
        print(client.services.status(project="shop")["services"])
