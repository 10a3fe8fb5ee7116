"""The lease methods, over a pipe, and a client that holds one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.client import Client
from harness.client.connection import Connection
from harness.client.leases import Leases
from harness.client.results import OperationStatus
from harness.errors import (
    DaemonUnavailable,
    InvalidParameters,
    LeaseExpired,
    LeaseNotFound,
    OperationFailed,
    ServiceNotFound,
)
from tests.unit.daemon.test_methods import daemon

pytestmark = pytest.mark.usefixtures("swept")

_STACK = "version: '1'\nname: shop\nservices: {db: {type: fake}}\n"


async def _up(client: Client, source: Any, **options: Any) -> OperationStatus:
    begun = await client.services.up(source=source, **options)
    return await client.operations.wait(id=begun["id"], timeout_s=10)


async def test_a_lease_is_given_seen_renewed_and_released(tmp_path: Path) -> None:
    async with daemon(tmp_path, _STACK) as (client, source):
        await _up(client, source, lease={"ttl_s": 60, "owner": "a test"})
        (lease,) = await client.leases.list()
        assert (lease["project"], lease["owner"], lease["ttl_s"]) == ("shop", "a test", 60)
        status = await client.services.status(project="shop")
        assert status["lease"] is not None
        assert status["lease"]["id"] == lease["id"]
        why = await client.services.why(project="shop", unit="db")
        assert why["lease"] is not None
        assert why["lease"]["id"] == lease["id"]
        renewed = await client.leases.renew(project="shop", lease=lease["id"])
        assert renewed["left_s"] > 59
        await client.leases.release(project="shop")
        assert await client.leases.list() == []
        with pytest.raises(LeaseNotFound):
            await client.leases.renew(project="shop")
        with pytest.raises(LeaseExpired, match="it was released"):
            await client.leases.renew(project="shop", lease=lease["id"])


async def test_a_lease_is_set_on_a_project_that_runs_only(tmp_path: Path) -> None:
    async with daemon(tmp_path, _STACK) as (client, source):
        with pytest.raises(ServiceNotFound):
            await client.leases.set(project="shop", ttl_s=60, owner="x")
        await _up(client, source)
        with pytest.raises(InvalidParameters, match=r"must be 0\.1 s or more"):
            await client.leases.set(project="shop", ttl_s=0, owner="x")
        lease = await client.leases.set(project="shop", ttl_s=60, owner="x")
        assert lease["left_s"] > 59


async def test_a_misspelt_project_is_told_as_such(tmp_path: Path) -> None:
    async with daemon(tmp_path, _STACK) as (client, source):
        await _up(client, source)
        for call in (client.leases.renew, client.leases.release):
            with pytest.raises(ServiceNotFound, match='"shpo"'):
                await call(project="shpo")
            with pytest.raises(LeaseNotFound):
                await call(project="shop")


async def test_leaving_takes_the_project_down(tmp_path: Path) -> None:
    async with daemon(tmp_path, _STACK) as (client, source):
        await _up(client, source)
        async with client.leases.hold("shop", ttl_s=60) as held:
            (lease,) = await client.leases.list()
            assert lease["id"] == held.id
        assert await client.projects.list() == []


async def test_leaving_may_keep_the_project(tmp_path: Path) -> None:
    async with daemon(tmp_path, _STACK) as (client, source):
        await _up(client, source)
        with pytest.raises(KeyError):
            async with client.leases.hold("shop", ttl_s=60, keep=True):
                raise KeyError("mine")
        assert await client.leases.list() == []
        assert [project["running"] for project in await client.projects.list()] == [1]


async def test_a_holder_renews_in_time(tmp_path: Path) -> None:
    async with daemon(tmp_path, _STACK) as (client, source):
        await _up(client, source)
        async with client.leases.hold("shop", ttl_s=1.5):
            (first,) = await client.leases.list()
            with anyio.fail_after(10):
                while (await client.leases.list())[0]["renewed_at"] == first["renewed_at"]:
                    await anyio.lowlevel.checkpoint()  # renewals are no events


async def test_a_holder_that_lost_its_lease_is_told_where_it_is(tmp_path: Path) -> None:
    async with daemon(tmp_path, _STACK) as (client, source):
        await _up(client, source)

        async def lose() -> None:
            async with client.leases.hold("shop", ttl_s=1.5):
                await client.leases.set(project="shop", ttl_s=60, owner="ci")
                await anyio.sleep_forever()

        with anyio.fail_after(10), pytest.raises(LeaseExpired, match="ci took it over"):
            await lose()
        assert [project["running"] for project in await client.projects.list()] == [1]


async def test_leaving_a_lease_that_was_taken_over_takes_nothing_down(tmp_path: Path) -> None:
    async with daemon(tmp_path, _STACK) as (client, source):
        await _up(client, source)
        async with client.leases.hold("shop", ttl_s=60):
            await client.leases.set(project="shop", ttl_s=60, owner="ci")
        assert [lease["owner"] for lease in await client.leases.list()] == ["ci"]
        assert [project["running"] for project in await client.projects.list()] == [1]


class _Script(Connection):
    """Answers as the test says; what it has no answer for cannot be reached."""

    lasts = True
    is_closed = False

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    async def call(self, method: str, params: Any = None, **_: Any) -> Any:
        await anyio.lowlevel.checkpoint()
        answer = self.answers.get(method.replace(".", "_"))
        if answer is None:
            raise DaemonUnavailable("nobody is there")
        return answer


_GRANTED = {"id": "l", "project": "shop", "ttl_s": 0.1}


async def test_a_daemon_that_stays_away_has_let_the_lease_end() -> None:
    with anyio.fail_after(10), pytest.raises(DaemonUnavailable):
        await Leases(_Script()).keep_alive(project="shop", ttl_s=0.1)


async def test_within_its_context_the_block_is_cancelled_for_it() -> None:
    async def hold() -> None:
        async with Leases(_Script(leases_set=_GRANTED)).hold("shop", ttl_s=0.1):
            await anyio.sleep_forever()

    with anyio.fail_after(10), pytest.raises(DaemonUnavailable):
        await hold()


async def test_what_cannot_be_taken_down_is_told_to_whoever_leaves() -> None:
    error = {"message": "cannot stop db", "hint": "kill it", "details": {}}
    script = _Script(
        leases_set={**_GRANTED, "ttl_s": 60.0},
        leases_renew=_GRANTED,
        services_down={"id": "o"},
        operations_wait={"error": error},
    )
    with pytest.raises(OperationFailed, match="cannot stop db"):
        async with Leases(script).hold("shop", ttl_s=60):
            await anyio.lowlevel.checkpoint()


class _Ending(_Script):
    """Refuses to renew from the moment on in which the project is taken down."""

    def __init__(self) -> None:
        super().__init__(
            leases_set=_GRANTED, leases_renew=_GRANTED, operations_wait={"error": None}
        )
        self.refused = anyio.Event()
        self.is_going_down = False

    async def call(self, method: str, params: Any = None, **more: Any) -> Any:
        if method == "services.down":
            self.is_going_down = True
            await self.refused.wait()
            return {"id": "o"}
        if method == "leases.renew" and self.is_going_down:
            self.refused.set()
            raise LeaseExpired(project="shop", lease="l", cause="the project was taken down")
        return await super().call(method, params, **more)


async def test_a_lease_that_ends_with_the_project_that_its_holder_takes_down_is_not_lost() -> None:
    with anyio.fail_after(10):
        async with Leases(_Ending()).hold("shop", ttl_s=0.1) as held:
            await anyio.lowlevel.checkpoint()
    assert held.lost is None
