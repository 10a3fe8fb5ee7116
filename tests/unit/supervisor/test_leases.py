"""Leases: what renews them, what ends them, and what becomes of their projects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.errors import (
    InvalidParameters,
    LeaseExpired,
    LeaseNotFound,
    ServiceNotFound,
    StoreFull,
)
from harness.model import EventKind
from harness.storage import MemoryStore
from harness.supervisor import Lease, LeaseTerms, Operation, OperationState
from tests.fakes.clock import FakeClock
from tests.unit.supervisor.scene import Scene, checked, scene, service

TERMS = LeaseTerms(ttl_s=10.0, owner="pytest")


def held(play: Scene) -> Lease:
    lease = play.stacks.leases.of("p")
    assert lease is not None
    return lease


async def removed(play: Scene) -> None:
    """Wait until nothing of the project is left."""
    with anyio.fail_after(10), play.bus.subscribe(after=0, project="p") as events:
        async for event in events:
            if event.kind is EventKind.PROJECT_REMOVED:
                return


def downs(play: Scene) -> list[Operation]:
    return [one for one in play.stacks.operations.list() if one.verb == "down"]


async def test_a_project_is_removed_when_its_lease_has_expired(play: Scene) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    await play.clock.run_for(9.9)
    assert play.state("a") == "running"
    lease = held(play)
    await play.clock.run_for(0.1)
    await removed(play)
    assert play.executor.names("stop") == ["a"]
    assert play.store.records("projects") == {}
    assert play.stacks.leases.list() == []
    (event,) = play.events(EventKind.LEASE_EXPIRED)
    assert event.data == {"lease": lease.id, "owner": "pytest", "ttl_s": 10.0}
    with pytest.raises(ServiceNotFound, match="its lease, of pytest, had expired"):
        play.stacks.project("p")


async def test_a_lease_that_is_renewed_goes_on(play: Scene) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    for _ in range(5):
        await play.clock.run_for(8)
        play.stacks.leases.renew("p", held(play).id)
    assert play.stacks.leases.left_s(held(play)) == 10
    await play.clock.run_for(9)
    assert play.state("a") == "running"
    await play.clock.run_for(1)
    await removed(play)


async def test_the_nearest_end_is_waited_for_by_one_sleep(play: Scene) -> None:
    await play.brought_up(service("a"))
    assert play.clock._waiting == []
    play.stacks.leases.grant("p", LeaseTerms(ttl_s=100.0, owner="x"))
    with anyio.fail_after(5):
        assert await play.clock.sleepers(1) == (100.0,)
    play.stacks.leases.grant("p", TERMS)
    await play.settle()
    assert [due for due, _, _ in play.clock._waiting] == [10.0]


async def test_renewing_an_expired_lease_says_when_and_whose(play: Scene) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    lease = held(play)
    await play.clock.run_for(10)
    await removed(play)
    for lease_id in (lease.id, None):
        with pytest.raises(LeaseExpired, match=r"it expired at .*, 10 s after pytest last"):
            play.stacks.leases.renew("p", lease_id)
    with pytest.raises(LeaseNotFound):
        play.stacks.leases.renew("p", "unknown")
    with pytest.raises(LeaseNotFound):
        play.stacks.leases.renew("q")
    with pytest.raises(LeaseNotFound):
        play.stacks.leases.renew("q", lease.id)


async def test_expiry_comes_over_a_running_up(play: Scene) -> None:
    up = play.up(service("a", health=checked("never")), lease=TERMS)
    await play.clock.run_for(10)
    await removed(play)
    await play.ended(up)
    assert up.state is not OperationState.DONE
    assert downs(play)[0].state is OperationState.DONE


async def test_up_again_keeps_the_lease_unless_told_otherwise(play: Scene) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    lease = held(play)
    await play.brought_up(service("a"))
    assert held(play) is lease
    await play.brought_up(service("a"), keep_lease=False)
    assert play.stacks.leases.of("p") is None
    await play.clock.run_for(100)
    assert play.state("a") == "running"
    with pytest.raises(LeaseExpired, match="it was released"):
        play.stacks.leases.renew("p", lease.id)


async def test_another_lease_takes_the_place_of_the_first(play: Scene) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    first = held(play)
    await play.brought_up(service("a"), lease=LeaseTerms(ttl_s=60.0, owner="ci"))
    with pytest.raises(LeaseExpired, match="ci took it over"):
        play.stacks.leases.renew("p", first.id)
    await play.clock.run_for(59)
    assert play.state("a") == "running"
    (event,) = play.events(EventKind.LEASE_RELEASED)
    assert event.data["cause"] == "taken-over"


async def test_a_released_lease_leaves_its_project_alone(play: Scene) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    lease = held(play)
    play.stacks.leases.release("p")
    await play.clock.run_for(100)
    assert play.state("a") == "running"
    with pytest.raises(LeaseNotFound):
        play.stacks.leases.release("p")
    with pytest.raises(LeaseExpired, match=r"cannot release the lease .* it was released at"):
        play.stacks.leases.release("p", lease.id)


async def test_a_project_taken_down_takes_its_lease_along(play: Scene) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    lease = held(play)
    await play.ended(play.stacks.down(play.project, volumes=True))
    with pytest.raises(LeaseExpired, match="the project was taken down"):
        play.stacks.leases.renew("p", lease.id)
    await play.clock.run_for(100)
    assert play.events(EventKind.LEASE_EXPIRED) == []


async def test_a_daemon_that_did_not_run_for_a_while_takes_nothing_down(play: Scene) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    await play.clock.sleepers(1)
    # As after SIGSTOP and SIGCONT: monotonic time has passed, and renewals wait in the sockets.
    play.clock.advance(500)
    await play.settle()
    assert play.state("a") == "running"
    assert play.stacks.leases.left_s(held(play)) == 10
    await play.clock.run_for(10)
    await removed(play)


@pytest.mark.parametrize("ttl_s", [0.0, -1.0, float("inf"), float("nan")])
async def test_what_is_no_time_is_refused_before_anything_starts(play: Scene, ttl_s: float) -> None:
    with pytest.raises(InvalidParameters):
        play.up(service("a"), lease=LeaseTerms(ttl_s=ttl_s, owner="x"))
    assert play.stacks.projects() == []


async def test_the_next_daemon_gives_the_holder_its_whole_time_to_come_back(
    tmp_path: Path,
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock) as first:
        await first.brought_up(service("a"), lease=TERMS)
        lease_id = held(first).id
        await clock.run_for(9)
    clock.advance(1000)
    async with scene(tmp_path, store=store, clock=clock) as second:
        await second.stacks.recover()
        assert second.stacks.leases.renew("p", lease_id).owner == "pytest"
        await clock.run_for(9)
        assert held(second).id == lease_id
        await clock.run_for(1)
        await removed(second)


async def test_a_daemon_killed_while_it_takes_down_leaves_that_to_the_next(
    tmp_path: Path,
) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock) as first:
        await first.brought_up(service("a"), lease=TERMS)
        first.executor.stop_gate = anyio.Event()
        await clock.run_for(10)
        assert first.state("a") == "stopping"
        assert [lease.owes_down for lease in first.stacks.leases.list()] == [True]
    async with scene(tmp_path, store=store, clock=clock) as second:
        await second.stacks.recover()
        await removed(second)
        assert second.stacks.leases.list() == []
        with pytest.raises(LeaseExpired):
            second.stacks.leases.renew("p")


async def test_a_project_brought_up_while_it_is_taken_down_stays(play: Scene) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    play.executor.stop_gate = anyio.Event()
    await play.clock.run_for(10)
    up = play.up(service("a"))
    await play.settle()
    play.executor.stop_gate.set()
    await play.ended(up)
    assert play.state("a") == "running"
    await play.ended(downs(play)[0])
    assert play.stacks.leases.list() == []
    assert play.state("a") == "running"


async def test_only_the_newest_ended_leases_are_remembered(play: Scene) -> None:
    await play.brought_up(service("a"))
    for _ in range(150):
        play.stacks.leases.grant("p", TERMS)
    assert len(play.store.records("leases")) == 101


class _FullStore(MemoryStore):
    """Refuses to write about leases once it is full."""

    is_full = False

    def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        self._check(collection)
        super().put(collection, key, value)

    def delete(self, collection: str, key: str) -> None:
        self._check(collection)
        super().delete(collection, key)

    def _check(self, collection: str) -> None:
        if self.is_full and collection == "leases":
            raise StoreFull("the disk is full")


async def test_a_lease_ends_on_a_full_disk_too(tmp_path: Path) -> None:
    store = _FullStore()
    async with scene(tmp_path, store=store) as play:
        await play.brought_up(service("a"))
        for _ in range(101):
            play.stacks.leases.grant("p", TERMS)
        store.is_full = True
        await play.clock.run_for(10)
        await removed(play)
        # Whoever comes later has a lease as ever.
        store.is_full = False
        await play.brought_up(service("a"), lease=TERMS)
        assert held(play).is_held
        play.stacks.leases.release("p")
        assert len(store.records("leases")) == 100


async def test_a_lease_whose_release_cannot_be_kept_is_held_as_before(tmp_path: Path) -> None:
    store = _FullStore()
    async with scene(tmp_path, store=store) as play:
        await play.brought_up(service("a"), lease=TERMS)
        lease = held(play)
        store.is_full = True
        with pytest.raises(StoreFull):
            play.stacks.leases.release("p")
        assert (held(play), lease.is_held, lease.ended_at) == (lease, True, None)
        assert play.events(EventKind.LEASE_RELEASED) == []
        store.is_full = False
        play.stacks.leases.release("p")
        assert play.stacks.leases.of("p") is None


async def test_the_next_daemon_ends_a_lease_that_was_taken_over_unstored(tmp_path: Path) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock) as first:
        await first.brought_up(service("a"), lease=TERMS)
        former = held(first)
        left = store.record("leases", former.id)
        clock.advance(1)
        second_id = first.stacks.leases.grant("p", LeaseTerms(ttl_s=60.0, owner="ci")).id
        # As where the store took the new one alone.
        assert left is not None
        store.put("leases", former.id, left)
    async with scene(tmp_path, store=store, clock=clock) as second:
        await second.stacks.recover()
        assert [lease.id for lease in second.stacks.leases.list()] == [second_id]
        with pytest.raises(LeaseExpired, match="ci took it over"):
            second.stacks.leases.renew("p", former.id)
        await clock.run_for(11)
        assert second.state("a") == "running"


async def test_a_lease_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock) as first:
        await first.brought_up(service("a"), lease=TERMS)
    ((key, value),) = store.records("leases").items()
    store.put("leases", key, {**value, "version": 2})
    async with scene(tmp_path, store=store, clock=clock) as second:
        await second.stacks.recover()
        assert second.stacks.leases.list() == []
        await clock.run_for(100)
        assert second.state("a") == "running"
    assert store.records("leases")[key]["version"] == 2


async def test_a_lease_that_is_given_while_the_project_is_taken_down_is_the_only_one(
    play: Scene,
) -> None:
    await play.brought_up(service("a"), lease=TERMS)
    first = held(play)
    play.executor.stop_gate = anyio.Event()
    await play.clock.run_for(10)
    assert play.stacks.leases.overdue() == ["p"]
    second = play.stacks.leases.grant("p", TERMS)
    assert (play.stacks.leases.list(), play.stacks.leases.overdue()) == ([second], [])
    with pytest.raises(LeaseExpired, match="it expired at"):
        play.stacks.leases.renew("p", first.id)
    play.executor.stop_gate.set()
    await play.ended(downs(play)[0])


async def test_a_holder_that_is_slow_to_come_back_has_its_whole_time(tmp_path: Path) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock) as first:
        await first.brought_up(service("a"), lease=TERMS)
    async with scene(tmp_path, store=store, clock=clock) as second:
        await second.stacks.recover()
        await clock.run_for(9.5)
        assert (second.state("a"), downs(second)) == ("running", [])
        await clock.run_for(0.5)
        await removed(second)


async def test_a_lease_whose_project_is_gone_ends_with_the_next_daemon(tmp_path: Path) -> None:
    store, clock = MemoryStore(), FakeClock()
    async with scene(tmp_path, store=store, clock=clock) as first:
        await first.brought_up(service("a"), lease=TERMS)
    store.delete("projects", "p")
    async with scene(tmp_path, store=store, clock=clock) as second:
        await second.stacks.recover()
        assert second.stacks.leases.list() == []
        (event,) = second.events(EventKind.LEASE_RELEASED)
        assert event.data["cause"] == "project-removed"
        # Its units are nobody's any more.
        assert second.stacks.orphans() == ["p"]
        second.stacks.remove_orphan("p")
        assert (second.stacks.orphans(), store.records("units:p")) == ([], {})
