"""What authors of plugins write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.actions import ActionSet, Call, Service, ServiceType, TaskCall, TaskType, action
from harness.plugins import hookimpl


@dataclass(frozen=True, kw_only=True)
class Mined:
    """Blocks are there."""

    blocks: int


class Chain(ServiceType):
    """A chain."""

    name = "chain"
    setup_events = (Mined,)

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.height = 0

    @action(events=[Mined], timeout_s=10)
    async def mine(self, call: Call, blocks: int = 1, *, tags: Sequence[str] = ()) -> Mined:
        """Mine."""
        self.height += blocks
        await call.emit(Mined(blocks=blocks))
        await call.progress("mined", done=blocks, total=blocks)
        return Mined(blocks=self.height)

    async def is_set_up(self) -> bool:
        """Look."""
        return self.height > 0

    async def set_up(self, call: Call) -> None:
        """Mine the first block."""
        await self.mine(call)
        done = await self.service.run("true", timeout_s=1)
        print(done.stdout.decode(), self.service.endpoints["rpc"].port)


class Deploy(TaskType):
    """Deploys."""

    name = "deploy"
    events = (Mined,)

    async def execute(self, call: TaskCall, url: str, accounts: int = 1) -> dict[str, str]:
        """Deploy."""

        async def see(line: str) -> None:
            await call.emit(Mined(blocks=len(line)))

        await call.run("deploy", url, on_line=see)
        return {"address": self.task.service("chain").url()}

    async def is_completed(self, url: str, accounts: int = 1) -> bool:
        """Look."""
        return bool(url)


class Scenarios(ActionSet):
    """Of no service."""

    @action()
    async def play(self) -> None:
        """Play."""


@hookimpl
def harness_service_types() -> list[type[ServiceType]]:
    """Bring the chain."""
    return [Chain]


@hookimpl
def harness_task_types() -> list[type[TaskType]]:
    """Bring deployment."""
    return [Deploy]
