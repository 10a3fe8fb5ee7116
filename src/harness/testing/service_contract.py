"""What callers rely on of every service type, as tests, against a real daemon in this process."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from harness.actions import ServiceType
from harness.client import Client, make_source
from harness.daemon import serving
from harness.errors import HarnessError, InvalidParameters
from harness.protocol import Endpoint

__all__ = ["ServiceTypeContract"]

_UP_S = 60.0
_CALL_S = 30.0
_CANCELLED = "test_a_cancelled_call_ends_and_the_next_one_is_answered"


class ServiceTypeContract:
    """Subclass it, name the type, a stack with a service of it, and how each action is called.

    Attributes:
        service_type: the class under test.
        stack: text of a stack file.
        service: name of a service in it that has the type.
        calls: action → parameters of a call that ends by itself.
        endless: action → parameters of a call that only ends when it is cancelled.
        plugins: those to load, `module` or `module:attribute`, beside installed ones.
    """

    pytestmark = pytest.mark.anyio

    service_type: ClassVar[type[ServiceType]]
    stack: ClassVar[str]
    service: ClassVar[str]
    calls: ClassVar[Mapping[str, Mapping[str, Any]]]
    endless: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    plugins: ClassVar[Sequence[str]] = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Leave a test out where it has nothing to do: it would be a skip in every run."""
        super().__init_subclass__(**kwargs)
        if not cls.endless:
            setattr(cls, _CANCELLED, None)
        elif getattr(cls, _CANCELLED) is None:
            setattr(cls, _CANCELLED, ServiceTypeContract.__dict__[_CANCELLED])

    # ── the frame ────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def running(self, directory: Path) -> AsyncIterator[tuple[Client, str]]:
        """Bring the stack up in a daemon of its own; give a client and the project's name."""
        (directory / "harness.yaml").write_text(self.stack)
        source = make_source(directory=str(directory), env=dict(os.environ))
        # Not below the test's directory, whose name may be too long for a socket.
        with tempfile.TemporaryDirectory() as state:
            async with serving(Endpoint(Path(state)), plugins=self.plugins) as client:
                with anyio.fail_after(_UP_S):
                    operation = await client.services.up(source=source)
                    ended = await client.operations.wait(id=operation["id"])
                assert ended["state"] == "done", ended
                yield client, ended["project"]

    def call(self, project: str, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of `client.actions.run` and `.start`."""
        return {
            "project": project,
            "service": self.service,
            "action": action,
            "parameters": parameters,
        }

    # ── what every service type does ─────────────────────────────────────────────────────────────

    def test_every_action_is_described(self) -> None:
        for name, action in self.service_type.declared().items():
            assert action.summary, f"{name} has no docstring"
            for made in (action.parameters_schema(), action.result_schema()):
                assert json.loads(json.dumps(made)) == made

    def test_every_action_is_called(self) -> None:
        assert {*self.calls, *self.endless} == {*self.service_type.declared()}

    async def test_every_call_is_answered_with_events_that_were_announced(
        self, tmp_path: Path
    ) -> None:
        async with self.running(tmp_path) as (client, project):
            for name, parameters in self.calls.items():
                known = {"progress", *self.service_type.declared()[name].event_schemas()}
                with anyio.fail_after(_CALL_S):
                    async with client.actions.start(**self.call(project, name, parameters)) as run:
                        told = [event["name"] async for event in run]
                        await run.result()
                assert {*told} <= known

    async def test_what_an_action_does_not_take_is_refused(self, tmp_path: Path) -> None:
        async with self.running(tmp_path) as (client, project):
            for name in self.service_type.declared():
                with anyio.fail_after(_CALL_S), pytest.raises(InvalidParameters):
                    await client.actions.run(**self.call(project, name, {"no such parameter": 1}))

    async def test_a_cancelled_call_ends_and_the_next_one_is_answered(self, tmp_path: Path) -> None:
        async with self.running(tmp_path) as (client, project):
            for name, parameters in self.endless.items():
                call = self.call(project, name, parameters)
                with anyio.fail_after(_CALL_S):
                    async with client.actions.start(**call) as run:
                        with anyio.move_on_after(0.1):
                            result = await run.result()
                            pytest.fail(f"{name} ended by itself, with {result!r}")
                    for other, its in self.calls.items():
                        await client.actions.run(**self.call(project, other, its))

    async def test_a_call_to_a_service_that_is_stopped_is_foreseen(self, tmp_path: Path) -> None:
        errors: list[HarnessError] = []
        async with self.running(tmp_path) as (client, project):
            operation = await client.services.stop(project=project, units=[self.service])
            await client.operations.wait(id=operation["id"])
            for name, parameters in self.calls.items():
                with anyio.fail_after(_CALL_S):
                    try:
                        await client.actions.run(**self.call(project, name, parameters))
                    except HarnessError as error:
                        errors.append(error)
        crashed = [str(error) for error in errors if "daemon's log" in (error.hint or "")]
        assert not crashed, "raise an ActionError that says what is wrong, and what to do"
