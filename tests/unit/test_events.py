"""The bus: numbers without holes, resuming, slow readers, a store that fails."""

from __future__ import annotations

import anyio
import pytest

from harness.errors import StoreFull
from harness.events import EventBus, Subscription
from harness.model import Event, EventKind
from harness.storage import MemoryStore, SqliteStore
from tests.fakes.clock import FakeClock

KIND = EventKind.UNIT_ADOPTED


class FullStore(MemoryStore):
    """A store that can be full."""

    full = False

    def append(self, event: Event) -> int:
        if self.full:
            raise StoreFull("cannot write: the disk is full")
        return super().append(event)


@pytest.fixture
def store() -> FullStore:
    return FullStore()


@pytest.fixture
def bus(store: FullStore) -> EventBus:
    return EventBus(store=store, clock=FakeClock())


async def take(subscription: Subscription, count: int) -> list[Event]:
    found: list[Event] = []
    with anyio.fail_after(5):
        async for event in subscription:
            found.append(event)
            if len(found) == count:
                break
    return found


def numbers(events: list[Event]) -> list[int]:
    return [event.number for event in events]


async def test_events_are_stamped_numbered_and_stored(bus: EventBus, store: FullStore) -> None:
    event = bus.publish(KIND, project="p", unit="a", data={"pid": 1})
    assert (event.number, event.at) == (1, FakeClock().now())
    assert store.events() == [event]
    assert bus.last_number == 1


async def test_a_subscription_tells_when_the_next_event_has_not_happened_yet(bus: EventBus) -> None:
    bus.publish(KIND)
    bus.publish(KIND)
    with bus.subscribe(after=0) as subscription:
        await take(subscription, 2)
        assert not subscription.is_drained  # nobody has looked for a third stored one yet
        bus.publish(KIND)
        bus.publish(KIND)
        await take(subscription, 1)
        assert not subscription.is_drained
        await take(subscription, 1)
        assert subscription.is_drained


async def test_a_subscriber_gets_what_comes_from_now_on(bus: EventBus) -> None:
    bus.publish(KIND)
    with bus.subscribe() as subscription:
        bus.publish(KIND)
        bus.publish(KIND)
        assert numbers(await take(subscription, 2)) == [2, 3]


async def test_a_waiting_subscriber_is_woken(bus: EventBus) -> None:
    with bus.subscribe() as subscription:
        async with anyio.create_task_group() as tasks:
            found: list[Event] = []

            async def read() -> None:
                found.extend(await take(subscription, 1))

            tasks.start_soon(read)
            await anyio.lowlevel.checkpoint()
            bus.publish(KIND)
        assert numbers(found) == [1]


@pytest.mark.parametrize("after", [0, 1, 499, 500, 999, 1000])
async def test_resuming_has_neither_hole_nor_double(bus: EventBus, after: int) -> None:
    for _ in range(1000):
        bus.publish(KIND)
    with bus.subscribe(after=after) as subscription:
        for _ in range(5):
            bus.publish(KIND)
        found = await take(subscription, 1005 - after)
    assert numbers(found) == list(range(after + 1, 1006))


async def test_events_published_while_stored_ones_are_replayed_come_after_them(
    bus: EventBus,
) -> None:
    for _ in range(3):
        bus.publish(KIND)
    found: list[int] = []
    with bus.subscribe(after=0) as subscription, anyio.fail_after(5):
        async for event in subscription:
            found.append(event.number)
            if event.number < 10:
                bus.publish(KIND)
            if event.number == 12:
                break
    assert found == list(range(1, 13))


async def test_only_one_project_s_events_are_delivered_when_asked(bus: EventBus) -> None:
    for project in ("p", "q", None, "p"):
        bus.publish(KIND, project=project)
    with bus.subscribe(after=0, project="p") as subscription:
        bus.publish(KIND, project="q")
        bus.publish(KIND, project="p")
        assert numbers(await take(subscription, 3)) == [1, 4, 6]


async def test_a_slow_subscriber_gets_a_gap_and_never_blocks(bus: EventBus) -> None:
    with bus.subscribe(queue_length=3, project="p") as slow, bus.subscribe() as other:
        for _ in range(10):
            bus.publish(KIND, project="p")
        assert numbers(await take(other, 10)) == list(range(1, 11))
        first = await take(slow, 4)
        assert numbers(first[:3]) == [1, 2, 3]
        assert first[3].kind is EventKind.GAP
        assert first[3].data == {"first": 4, "last": 10}
        assert first[3].project == "p"
        bus.publish(KIND, project="p")
        assert numbers(await take(slow, 1)) == [11]


async def test_a_gap_is_not_stored(bus: EventBus, store: FullStore) -> None:
    with bus.subscribe(queue_length=1) as slow:
        for _ in range(3):
            bus.publish(KIND)
        await take(slow, 2)
    assert len(store.events()) == 3


async def test_what_was_trimmed_is_a_gap(tmp_path) -> None:
    with SqliteStore(tmp_path, kept_events=10) as store:
        bus = EventBus(store=store, clock=FakeClock())
        for _ in range(1_000):
            bus.publish(KIND)
        with bus.subscribe(after=5) as subscription:
            gap, first = await take(subscription, 2)
        assert gap.kind is EventKind.GAP
        assert gap.data == {"first": 6, "last": 990}
        assert first.number == 991


async def test_a_closed_subscription_gets_nothing_more(bus: EventBus) -> None:
    with bus.subscribe() as subscription:
        pass
    bus.publish(KIND)
    with anyio.move_on_after(0) as scope:
        await take(subscription, 1)
    assert scope.cancelled_caught


async def test_a_full_store_keeps_no_event_from_being_delivered(
    bus: EventBus, store: FullStore
) -> None:
    with bus.subscribe() as subscription:
        bus.publish(KIND)
        store.full = True
        bus.publish(KIND)
        store.full = False
        bus.publish(KIND)
        assert numbers(await take(subscription, 3)) == [1, 2, 3]
    assert numbers(store.events()) == [1, 3]
    with bus.subscribe(after=2) as resumed:
        assert numbers(await take(resumed, 1)) == [3]


async def test_numbers_go_on_with_the_next_daemon(bus: EventBus, store: FullStore) -> None:
    bus.publish(KIND)
    successor = EventBus(store=store, clock=FakeClock())
    assert successor.publish(KIND).number == 2
