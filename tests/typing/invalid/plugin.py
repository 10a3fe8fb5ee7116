"""What authors of plugins must not write."""

from __future__ import annotations

from harness.actions import Call, ServiceType, TaskCall, TaskType, action


class Chain(ServiceType):
    """A chain."""

    name = 1  # E: assignment
    setup_timeout_s = "1s"  # E: assignment

    @action(timeout="10s")  # E: call-arg
    async def mine(self, call: Call) -> None:
        """Mine."""
        await call.progress(1)  # E: arg-type
        await call.report("mined")  # E: attr-defined

    async def is_set_up(self) -> str:  # E: override
        """Look."""
        return "yes"

    async def set_up(self) -> None:  # E: override
        """Do it."""


class Deploy(TaskType):
    """Deploys."""

    name = "deploy"

    async def execute(self, call: TaskCall, url: str) -> None:
        """Deploy."""

        def see(line: str) -> None:
            print(line)

        await call.run("deploy", url, on_line=see)  # E: arg-type
        await call.run(["deploy", url])  # E: arg-type

    async def is_completed(self, url: str) -> str:  # E: override
        """Look."""
        return url
