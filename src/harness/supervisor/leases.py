"""Leases: a project that has one lives as long as somebody renews it.

Decides when a lease is over; what becomes of the project then is the owner's business. Time is
monotonic: what the machine sleeps does not count, and nor does a wall clock that jumps. One timer
waits for the nearest end (ADR-0026).
"""

from __future__ import annotations

import logging
import math
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import anyio

from harness.clock import Clock
from harness.errors import InvalidParameters, LeaseExpired, LeaseNotFound, StorageError
from harness.events import EventBus
from harness.model import EventKind
from harness.storage import Store

__all__ = ["Lease", "LeaseEnd", "LeaseTerms", "Leases"]

logger = logging.getLogger(__name__)

_COLLECTION = "leases"
_VERSION = 1
_LEAST_TTL_S = 0.1
_KEPT = 100
_LATE_S = 1.0


class LeaseEnd(StrEnum):
    """How a lease came to its end."""

    EXPIRED = "expired"
    RELEASED = "released"
    TAKEN_OVER = "taken-over"
    PROJECT_REMOVED = "project-removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTerms:
    """What a holder asks for.

    Attributes:
        ttl_s: how long after its last renewal a lease ends.
        owner: who holds it, for people.
    """

    ttl_s: float
    owner: str


@dataclass(slots=True, kw_only=True)
class Lease:
    """One lease of one project.

    Attributes:
        renewed_at: for people; `due_s` counts.
        due_s: monotonic moment of its end.
        end: how it ended; None: it is held.
        owes_down: it has expired, and its project is still to be taken down.
    """

    id: str
    project: str
    owner: str
    ttl_s: float
    granted_at: datetime
    renewed_at: datetime
    due_s: float = math.inf
    end: LeaseEnd | None = None
    ended_at: datetime | None = None
    owes_down: bool = False

    @property
    def is_held(self) -> bool:
        """Whether it can be renewed."""
        return self.end is None


@dataclass(slots=True)
class Leases:
    """The leases of all projects, at most one each, and the newest of those that have ended.

    Args:
        store: keeps them over the end of the daemon.
        bus: is told of every change but renewals.
        clock: tells the time.
        on_expired: takes down the project of a lease that has expired.
    """

    store: Store
    bus: EventBus
    clock: Clock
    on_expired: Callable[[str], object]
    _all: dict[str, Lease] = field(default_factory=dict)
    _sleeping: anyio.CancelScope | None = None
    _changed: anyio.Event = field(default_factory=anyio.Event)

    # ── what there is ────────────────────────────────────────────────────────────────────────────

    def list(self) -> list[Lease]:
        """Return those that are held, and those whose project is still to be taken down."""
        return [lease for lease in self._all.values() if lease.is_held or lease.owes_down]

    def of(self, project: str) -> Lease | None:
        """Return the lease of a project, if one counts."""
        return next((lease for lease in self.list() if lease.project == project), None)

    def left_s(self, lease: Lease) -> float:
        """Return the seconds that are left of it."""
        return max(0.0, lease.due_s - self.clock.monotonic()) if lease.is_held else 0.0

    def last_expired(self, project: str) -> Lease | None:
        """Return the newest lease of a project, if it has expired."""
        newest = next((one for one in reversed(self._all.values()) if one.project == project), None)
        return newest if newest is not None and newest.end is LeaseEnd.EXPIRED else None

    # ── what holders ask ─────────────────────────────────────────────────────────────────────────

    @staticmethod
    def check(terms: LeaseTerms) -> None:
        """Refuse what is no lease.

        Raises:
            InvalidParameters: its time is too short, or no number.
        """
        if not _LEAST_TTL_S <= terms.ttl_s < math.inf:
            raise InvalidParameters(
                f"cannot grant a lease of {terms.ttl_s:g} s: it must be {_LEAST_TTL_S:g} s or more",
                hint="leave it out for a project that is to live until it is taken down",
            )

    def grant(self, project: str, terms: LeaseTerms) -> Lease:
        """Give a project a lease, in place of the one it has.

        Raises:
            InvalidParameters: see `check`.
            StorageError: it cannot be kept; the project has the one it had, if any.
        """
        self.check(terms)
        now = self.clock.now()
        lease = Lease(
            id=secrets.token_hex(6),
            project=project,
            owner=terms.owner,
            ttl_s=terms.ttl_s,
            granted_at=now,
            renewed_at=now,
            due_s=self.clock.monotonic() + terms.ttl_s,
        )
        self._keep(lease)
        self.excuse(project)
        if (former := self.of(project)) is not None:
            self._end(former, LeaseEnd.TAKEN_OVER)
        self._all[lease.id] = lease
        self._publish(EventKind.LEASE_GRANTED, lease, ttl_s=lease.ttl_s)
        self._wake()
        return lease

    def renew(self, project: str, lease_id: str | None = None) -> Lease:
        """Give a lease its whole time anew; `lease_id` None: whichever the project has.

        Nothing is stored: a daemon that takes over gives every lease its whole time.

        Raises:
            LeaseExpired: it has ended, and how.
            LeaseNotFound: there is none.
        """
        lease = self._held(project, lease_id, verb="renew")
        lease.renewed_at = self.clock.now()
        lease.due_s = self.clock.monotonic() + lease.ttl_s
        return lease

    def release(self, project: str, lease_id: str | None = None) -> None:
        """End a lease; its project lives on, as one that never had any.

        Raises:
            LeaseExpired: it has ended, and how.
            LeaseNotFound: there is none.
            StorageError: that cannot be kept; the lease is held as before.
        """
        lease = self._held(project, lease_id, verb="release")
        # The next daemon would take the project down that is to live on.
        self._end(lease, LeaseEnd.RELEASED, must_be_kept=True)

    def excuse(self, project: str) -> None:
        """Let a project live whose lease has expired, because somebody wants it again."""
        for lease in self._all.values():
            if lease.project == project and lease.owes_down:
                lease.owes_down = False
                self._keep(lease)

    def forget(self, project: str) -> None:
        """Take note that a project is gone."""
        try:
            self.excuse(project)
        except StorageError as error:
            # The project is gone all the same, which the next daemon sees.
            logger.error("Cannot store the end of a lease: %s", error)
        if (lease := self.of(project)) is not None:
            self._end(lease, LeaseEnd.PROJECT_REMOVED)

    def _held(self, project: str, lease_id: str | None, *, verb: str) -> Lease:
        if lease_id is None:
            lease = self.of(project) or self.last_expired(project)
        else:
            lease = self._all.get(lease_id)
        if lease is None or lease.project != project:
            raise LeaseNotFound(project=project, lease=lease_id)
        if not lease.is_held:
            cause = self._cause(lease)
            raise LeaseExpired(project=project, lease=lease.id, cause=cause, verb=verb)
        return lease

    def _cause(self, lease: Lease) -> str:
        assert lease.ended_at is not None  # noqa: S101 - it has ended
        at = lease.ended_at.isoformat(timespec="seconds")
        match lease.end:
            case LeaseEnd.TAKEN_OVER:
                holder = self.of(lease.project)
                return f"{holder.owner if holder else 'another holder'} took it over at {at}"
            case LeaseEnd.RELEASED:
                return f"it was released at {at}"
            case LeaseEnd.PROJECT_REMOVED:
                return f"the project was taken down at {at}"
            case _:
                return f"it expired at {at}, {lease.ttl_s:g} s after {lease.owner} last renewed it"

    # ── time ─────────────────────────────────────────────────────────────────────────────────────

    async def run(self) -> None:
        """End leases when they are due, until cancelled."""
        while True:
            due_s = min((one.due_s for one in self._all.values() if one.is_held), default=None)
            if due_s is None:
                self._changed = anyio.Event()
                await self._changed.wait()
                continue
            with anyio.CancelScope() as self._sleeping:
                await self.clock.sleep(max(0.0, due_s - self.clock.monotonic()))
            self._sleeping = None
            self._end_due()

    def _wake(self) -> None:
        self._changed.set()
        if self._sleeping is not None:
            self._sleeping.cancel()

    def _end_due(self) -> None:
        now_s = self.clock.monotonic()
        due = [lease for lease in self._all.values() if lease.is_held and lease.due_s <= now_s]
        if due and now_s - min(lease.due_s for lease in due) > _LATE_S:
            # This process was stopped, or starved: renewals may wait in its sockets.
            logger.warning("Leases are prolonged: the daemon itself did not run for a while")
            for lease in self._all.values():
                lease.due_s = now_s + lease.ttl_s
            return
        for lease in due:
            lease.owes_down = True
            self._end(lease, LeaseEnd.EXPIRED)
            self.on_expired(lease.project)

    # ── what outlives the daemon ─────────────────────────────────────────────────────────────────

    def recover(self, projects: Collection[str]) -> None:
        """Take over what an earlier daemon stored; every holder has its whole time to come back.

        Args:
            projects: those that there are, also such as cannot be read.
        """
        now_s = self.clock.monotonic()
        records = self.store.records(_COLLECTION)
        if newer := [key for key, value in records.items() if value["version"] > _VERSION]:
            logger.error("Cannot read leases %s: a newer version wrote them", ", ".join(newer))
        found = [_decode(key, value) for key, value in records.items() if key not in newer]
        for lease in sorted(found, key=lambda one: one.granted_at):
            former = self.of(lease.project)
            self._all[lease.id] = lease
            lease.due_s = now_s + lease.ttl_s
            if lease.is_held and former is not None and former.is_held:
                # That it was taken over could not be stored; nobody renews it any more.
                self._end(former, LeaseEnd.TAKEN_OVER)
            if lease.project not in projects:
                self.forget(lease.project)
        self._wake()

    def overdue(self) -> Collection[str]:
        """Return the projects that an expired lease has left to be taken down."""
        return [lease.project for lease in self._all.values() if lease.owes_down]

    def _end(self, lease: Lease, end: LeaseEnd, *, must_be_kept: bool = False) -> None:
        lease.end, lease.ended_at = end, self.clock.now()
        try:
            self._keep(lease)
        except StorageError as error:
            if must_be_kept:
                lease.end = lease.ended_at = None
                raise
            # It has ended all the same; at worst the next daemon ends it once more.
            logger.error("Cannot store the end of a lease: %s", error)
        if end is LeaseEnd.EXPIRED:
            self._publish(EventKind.LEASE_EXPIRED, lease, ttl_s=lease.ttl_s)
        else:
            self._publish(EventKind.LEASE_RELEASED, lease, cause=end.value)
        self._trim()

    def _trim(self) -> None:
        ended = [one.id for one in self._all.values() if not one.is_held and not one.owes_down]
        for lease_id in ended[:-_KEPT]:
            try:
                self.store.delete(_COLLECTION, lease_id)
            except StorageError as error:
                # It goes with a later one.
                logger.error("Cannot forget a lease that has ended: %s", error)
                return
            del self._all[lease_id]

    def _publish(self, kind: EventKind, lease: Lease, **data: Any) -> None:
        facts = {"lease": lease.id, "owner": lease.owner, **data}
        self.bus.publish(kind, project=lease.project, data=facts)

    def _keep(self, lease: Lease) -> None:
        value = {name: _plain(fact) for name, fact in asdict(lease).items() if name != "due_s"}
        self.store.put(_COLLECTION, lease.id, {"version": _VERSION, **value})


def _plain(fact: object) -> object:
    return fact.isoformat() if isinstance(fact, datetime) else fact


def _decode(lease_id: str, value: Mapping[str, Any]) -> Lease:
    ended_at = value["ended_at"]
    return Lease(
        id=lease_id,
        project=value["project"],
        owner=value["owner"],
        ttl_s=value["ttl_s"],
        granted_at=datetime.fromisoformat(value["granted_at"]),
        renewed_at=datetime.fromisoformat(value["renewed_at"]),
        end=None if value["end"] is None else LeaseEnd(value["end"]),
        ended_at=None if ended_at is None else datetime.fromisoformat(ended_at),
        owes_down=value["owes_down"],
    )
