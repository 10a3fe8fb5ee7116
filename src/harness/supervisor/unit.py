"""One supervised unit: its state, what it waits for, and who is told when it changes.

The table in `machine.py` decides what happens; `effects.py` carries it out. Everything here is
synchronous and runs from the project's trigger queue, so a change is stored and published before
anything follows from it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import anyio

from harness.errors import StorageError
from harness.health import HealthReport
from harness.logs import UnitLog
from harness.model import (
    MASK,
    Dependency,
    Endpoint,
    EventKind,
    ExitStatus,
    Goal,
    HealthState,
    Secret,
    ServiceSpec,
    ServiceState,
    SetupState,
    TaskSpec,
    UnitKind,
    UnitSpec,
    is_live,
    is_ready,
)

from .backoff import RestartHistory
from .conditions import Need, judge
from .context import Context
from .directories import UnitDirectories
from .effects import Effects
from .launch import inherited_environment
from .machine import Effect, Trigger, transition
from .masking import masked
from .reasons import one_line
from .record import UnitRecord, encode_record

__all__ = ["Unit", "units_collection"]

logger = logging.getLogger(__name__)

_AT_REST = (ServiceState.STOPPED, ServiceState.EXITED, ServiceState.FAILED)
_SECRET_NAMES = ("PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL")


def units_collection(project: str) -> str:
    """Return the name of the collection that holds a project's unit records."""
    return f"units:{project}"


class Unit:
    """One service or task under supervision.

    Attributes:
        spec: the definition as last applied; a running unit may still run an older one.
        record: the durable part.
        directories: where its files are.
        history: restarts since the last calm period.
        listeners: called with the unit after every change of state, health or stage.
        ignores_dependencies: start without waiting for others, once.
        forces_run: of a task: run even when its completion is remembered, once.
        held: when stopped, stay so although wanted; a restart in order uses it.
        was_remembered: of a task: its last completion was an earlier one, with the same inputs.
        was_stopping: an earlier daemon died while it stopped this unit.
        command_secrets: what commands printed for the last start, by the secret's name.
        next_try_due_s: monotonic seconds at which the next attempt is due, in back-off.
        setup: how far the setup of this run is.
        stop_cause: why the harness stops it although nobody asked, or None.
    """

    def __init__(
        self,
        *,
        spec: UnitSpec,
        record: UnitRecord,
        context: Context,
        directories: UnitDirectories,
        log: UnitLog,
    ) -> None:
        self.spec = spec
        self.record = record
        self.context = context
        self.directories = directories
        self.log = log
        self.history = RestartHistory()
        self.listeners: dict[Callable[[Unit], None], None] = {}
        self.ignores_dependencies = False
        self.forces_run = False
        self.held = False
        self.was_remembered = False
        self.was_stopping = False
        self.command_secrets: Mapping[str, Secret] = {}
        self.next_try_due_s: float | None = None
        self.stop_cause: str | None = None
        self._health = HealthState.NONE
        self.setup = SetupState.NONE
        self._peers: Mapping[str, Unit] = {}
        self._effects = Effects(self)

    # ── what it is ───────────────────────────────────────────────────────────────────────────────

    @property
    def name(self) -> str:
        """Its name, unique in the project."""
        return self.spec.name

    @property
    def secrets(self) -> Set[str]:
        """Texts that must never be shown: of the whole project, as units hear of each other."""
        return self.context.secrets

    @property
    def kind(self) -> UnitKind:
        """Service or task."""
        return self.spec.kind

    @property
    def state(self) -> ServiceState:
        """What it does now."""
        return self.record.state

    @property
    def health(self) -> HealthState:
        """What its checks say."""
        return self._health

    @property
    def goal(self) -> Goal:
        """What the user wants of it."""
        return self.record.goal

    @property
    def marker(self) -> str:
        """What every process of the newest run carries as `HARNESS_UNIT`."""
        record = self.record
        return f"{self.context.project}/{self.name}/{record.generation}/{record.token}"

    @property
    def is_live(self) -> bool:
        """Something of it may exist."""
        return is_live(self.record.state) or self.record.handle is not None

    @property
    def is_started_here(self) -> bool:
        """Its executor starts and stops it; else it runs elsewhere, and is known by its address."""
        return self.context.executors[self.spec.type].capabilities.starts

    @property
    def is_ready(self) -> bool:
        """It can be used: it is usable, and set up if it has to be."""
        return self.is_usable and self.setup in (SetupState.NONE, SetupState.COMPLETE)

    @property
    def is_usable(self) -> bool:
        """It runs, its post_start hooks have succeeded, and all its checks pass."""
        if self.record.awaits_hooks:
            return False
        return is_ready(self.record.state, self._health) and self.kind is UnitKind.SERVICE

    @property
    def has_setup(self) -> bool:
        """It has a type, which may set it up."""
        spec = self.spec
        if not isinstance(spec, ServiceSpec) or spec.service_type is None:
            return False
        return spec.setup.is_wanted and self.context.setups is not None

    @property
    def has_been_ready(self) -> bool:
        """This run has been ready, though it need not be now."""
        health = self.spec.health
        stages = () if health is None else health.stages
        return all(stage.name in self.record.stages for stage in stages)

    @property
    def is_completed(self) -> bool:
        """It ended with success, or is a task whose completion was remembered."""
        status = self.record.exit
        return self.record.state is ServiceState.EXITED and (
            self.kind is UnitKind.TASK or (status is not None and status.is_success)
        )

    @property
    def tells_completion(self) -> bool:
        """Whether its work is done is seen from outside, whatever is remembered."""
        return self.context.executors[self.spec.type].tells_completion

    @property
    def is_settled(self) -> bool:
        """What was wanted of it is reached, or cannot be reached any more."""
        if self.record.state in (ServiceState.FAILED, ServiceState.EXITED) or self.is_stuck:
            return True
        if self.goal is Goal.DOWN:
            return not self.is_live
        return self.is_ready

    @property
    def is_stuck(self) -> bool:
        """Something of it survived a stop, or it cannot be reached, and nothing more is tried."""
        return self.record.state is ServiceState.UNKNOWN and self.record.reason is not None

    @property
    def stages(self) -> Mapping[str, float]:
        """Stages reached by this run → seconds from its start."""
        return self.record.stages

    @property
    def probes(self) -> Any:
        """The monitor of this run's checks, or None."""
        return self._effects.monitor

    @property
    def report(self) -> HealthReport | None:
        """What the checks of the newest run found, also after its end; None without any."""
        return self._effects.report()

    def has_reached(self, stage: str) -> bool:
        """Tell whether this run has reached a named stage."""
        return stage in self.record.stages

    def endpoints(self) -> dict[str, Endpoint]:
        """Return its endpoints, by name, as far as their ports are known."""
        found = {}
        for name, port in self.spec.ports.items():
            number = self.record.ports.get(name, port.host)
            if number is not None:
                found[name] = Endpoint(
                    name=name,
                    host=_reachable(port.address),
                    port=number,
                    scheme=port.scheme,
                    protocol=port.protocol,
                )
        return found

    # ── what it waits for ────────────────────────────────────────────────────────────────────────

    def connect(self, peers: Mapping[str, Unit]) -> None:
        """Learn which units there are; called whenever the stack was applied."""
        for peer in self._peers.values():
            peer.listeners.pop(self._on_peer_changed, None)
        self._peers = peers
        for dependency in self.spec.depends_on:
            if dependency.on in peers:
                peers[dependency.on].listeners[self._on_peer_changed] = None

    def peer(self, name: str) -> Unit | None:
        """Return another unit of the project."""
        return self._peers.get(name)

    def needs(self) -> list[Need]:
        """Return its dependencies and how each stands; optional ones only when they are wanted."""
        found = []
        for dependency in self.spec.depends_on:
            peer = self._peers.get(dependency.on)
            if peer is None or not self._counts(dependency, peer):
                continue
            found.append(judge(dependency, peer))
        return found

    def _counts(self, dependency: Dependency, peer: Unit) -> bool:
        return dependency.required or peer.goal is Goal.UP

    def reconsider(self) -> None:
        """Start if every condition holds now, or fail if one never will.

        It is looked at when its turn has come: of two peers that fail at once, one is enough.
        """
        self.context.queue.post(self._reconsider)

    def _reconsider(self) -> None:
        if self.record.state is not ServiceState.PENDING or self.goal is not Goal.UP:
            return
        needs = [] if self.ignores_dependencies else self.needs()
        hopeless = next((need for need in needs if need.hopeless), None)
        if hopeless is not None:
            # Why is told of the other one, once.
            reason = f'it depends on "{hopeless.dependency.on}", which {_verb(hopeless)}'
            self._apply(Trigger.DEPENDENCY_FAILED, reason)
        elif all(need.met for need in needs):
            self._apply(Trigger.CONDITIONS_MET, None)

    def _on_peer_changed(self, peer: Unit) -> None:
        if self.record.state is ServiceState.PENDING:
            self.reconsider()
        elif self.record.state is ServiceState.RUNNING and peer.state is ServiceState.STARTING:
            follows = any(d.on == peer.name and d.restart for d in self.spec.depends_on)
            if follows:
                self.post(Trigger.RESTART, reason=f'"{peer.name}" restarted')

    # ── what happens to it ───────────────────────────────────────────────────────────────────────

    def aim(self, goal: Goal) -> None:
        """Set the goal, durably; what follows from it happens when it is wanted, or at recovery."""
        if self.record.goal is not goal:
            self.record.goal = goal
            self.save()
            # Whoever waits for the old goal learns that it is given up.
            self.changed()

    def want(self, goal: Goal, *, reason: str | None = None) -> None:
        """Set the goal, durably, and let what follows from it happen."""
        self.aim(goal)
        if goal is Goal.UP:
            self.stop_cause = None
            if self.record.state in _AT_REST:
                self.record.restarts = 0
                self.note_history(RestartHistory())
            self.post(Trigger.WANTED, reason=reason)
        else:
            self.post(Trigger.UNWANTED, reason=reason)

    def post(self, trigger: Trigger, *, reason: str | None = None) -> None:
        """Have a trigger applied, after those already waiting."""
        self.context.queue.post(lambda: self._apply(trigger, reason))

    def _apply(self, trigger: Trigger, reason: str | None) -> None:
        try:
            with self.context.store.batch():
                self._step(trigger, reason)
        except StorageError as error:
            logger.error("Cannot store %s: %s", self.name, error, extra={"service": self.name})

    def _step(self, trigger: Trigger, reason: str | None) -> None:
        step = transition(self.record.state, trigger)
        old = self.record.state
        if step.state is not old or reason is not None:
            self.record.reason = one_line(masked(reason, self.secrets))
        if step.state is not old:
            self._enter(step.state, old)
        for effect in step.effects:
            self._effects.carry_out(effect)
        if step.state is not old or Effect.AWAIT_CONDITIONS in step.effects:
            self.changed()

    def _enter(self, state: ServiceState, old: ServiceState) -> None:
        record = self.record
        record.state = state
        now = self.context.clock.now()
        record.since = now.isoformat()
        if old is ServiceState.BACKOFF and state is ServiceState.PENDING:
            record.restarts += 1
        record.next_try_at = None
        if state is ServiceState.BACKOFF:
            record.next_try_at = (now + timedelta(seconds=self._effects.next_delay_s)).isoformat()
        else:
            self.next_try_due_s = None
        if state is ServiceState.STARTING:
            # Until the next generation is stored the run directory is that of the one before.
            record.token = ""
            record.awaits_hooks = bool(self.spec.hooks.post_start)
        elif state is not ServiceState.RUNNING:
            record.awaits_hooks = False
        has_setup = state is ServiceState.RUNNING and self.has_setup
        self.setup = SetupState.REQUIRED if has_setup else SetupState.NONE
        if state is ServiceState.RUNNING:
            self._health = HealthState.STARTING if self.spec.health else HealthState.NONE
        elif state is not ServiceState.STOPPING:
            self._health = HealthState.NONE
        self.save()
        self.context.publish(
            EventKind.UNIT_STATE_CHANGED,
            self.name,
            old=old.value,
            new=state.value,
            reason=record.reason,
            pid=record.handle.pid if record.handle else None,
            exit=self._news_of_end(old),
            ready=self.is_ready,
        )

    def _news_of_end(self, old: ServiceState) -> str | None:
        """Return how the run ended, where that is news."""
        status = self.record.exit
        is_news = status is not None and is_live(old) and self.state is not ServiceState.RUNNING
        return str(status) if is_news else None

    def note_history(self, history: RestartHistory) -> None:
        """Take a new restart history; with the record the next daemon gets it too."""
        self.history = history
        clock = self.context.clock
        now, monotonic = clock.now(), clock.monotonic()
        self.record.attempts = history.attempts
        self.record.ended_at = [
            (now - timedelta(seconds=monotonic - at)).isoformat() for at in history.ended_at
        ]

    def restore_history(self) -> None:
        """Take the restart history from the record."""
        clock = self.context.clock
        now, monotonic = clock.now(), clock.monotonic()
        ages = [(now - datetime.fromisoformat(at)).total_seconds() for at in self.record.ended_at]
        # An end that seems to be yet to come was noted before the clock was set back.
        self.history = RestartHistory(
            attempts=self.record.attempts, ended_at=tuple(monotonic - max(0.0, age) for age in ages)
        )

    @property
    def next_try_at(self) -> datetime | None:
        """When the next attempt is due, in back-off, by the machine's clock as it is now."""
        if self.next_try_due_s is None:
            return None
        clock = self.context.clock
        return clock.now() + timedelta(seconds=self.next_try_due_s - clock.monotonic())

    def ended_as(self, status: ExitStatus | None) -> None:
        """Remember how the run ended; what it says of that itself may hold a secret."""
        if status is not None and status.cause is not None:
            status = replace(status, cause=masked(status.cause, self.secrets))
        self.record.exit = status

    def hooks_succeeded(self) -> None:
        """Take note that the post_start hooks of this run succeeded."""
        self.record.awaits_hooks = False
        self.health_changed(self._health, message="its post_start hooks succeeded")

    def health_changed(self, new: HealthState, *, message: str | None) -> None:
        """Take note of a change of health."""
        old, self._health = self._health, new
        self.record.health = new
        self.save()
        self.context.publish(
            EventKind.HEALTH_CHANGED,
            self.name,
            old=old.value,
            new=new.value,
            message=message,
            ready=self.is_ready,
        )
        self.changed()

    def setup_changed(self, new: SetupState, *, message: str | None = None) -> None:
        """Take note of how far the setup of this run is."""
        old, self.setup = self.setup, new
        self.context.publish(
            EventKind.SETUP_CHANGED,
            self.name,
            old=old.value,
            new=new.value,
            message=one_line(masked(message, self.secrets)),
            ready=self.is_ready,
        )
        self.changed()

    def stage_reached(self, stage: str, *, after_s: float) -> None:
        """Take note that this run reached a stage."""
        self.record.stages[stage] = after_s
        self.save()
        self.context.publish(
            EventKind.STAGE_REACHED, self.name, stage=stage, after_s=round(after_s, 6)
        )
        self.changed()

    def changed(self) -> None:
        """Tell the listeners."""
        for listener in tuple(self.listeners):
            listener(self)

    def save(self) -> None:
        """Store the record; on a full disk supervision goes on, and the next change stores it."""
        try:
            self.store()
        except StorageError as error:
            logger.error("Cannot store %s: %s", self.name, error, extra={"service": self.name})

    def store(self) -> None:
        """Store the record.

        Raises:
            StorageError: it could not be stored.
        """
        self.context.store.put(
            units_collection(self.context.project), self.name, encode_record(self.record)
        )

    def forget_completion(self) -> None:
        """Make a task run again the next time it is wanted."""
        record = self.record
        record.completed, record.completed_at, record.outputs = None, None, {}
        self.save()
        if record.state is ServiceState.EXITED:
            self.want(Goal.DOWN, reason="its completion was forgotten")

    def shown_environment(self, *, reveal: bool) -> dict[str, str]:
        """Return the variables the newest run got, or would get; the rest is masked.

        Shown are values that the definition sets, except secrets and what is named like one.
        """
        inherited = inherited_environment(self)
        run = self._effects.run
        env = run.request.env if run is not None else {**inherited, **self.spec.env}
        if reveal:
            return dict(sorted(env.items()))
        return {
            name: MASK
            if inherited.get(name) == value or _is_secret_name(name)
            else masked(value, self.secrets)
            for name, value in sorted(env.items())
        }

    async def adopt(self) -> None:
        """Find out what became of the unit while no daemon was there; return once that is known."""
        await self._effects.adopt()

    async def aclose(self) -> None:
        """End watching, waiting and checking; the unit itself goes on."""
        await self._effects.aclose()

    def resume_retry(self) -> None:
        """Go on with the back-off that an earlier daemon began."""
        self._effects.resume_retry()

    def sweep_leftovers(self) -> None:
        """Sweep what ended while no daemon was there, or just before."""
        self._effects.sweep_leftovers()

    async def swept(self) -> None:
        """Return once nothing of the runs that have ended is left."""
        await self._effects.sweeper.wait()

    async def until(self, condition: Callable[[Unit], bool]) -> None:
        """Return once `condition` holds; it is asked after every change."""
        if condition(self):
            return
        happened = anyio.Event()

        def listen(unit: Unit) -> None:
            if condition(unit):
                happened.set()

        self.listeners[listen] = None
        try:
            await happened.wait()
        finally:
            self.listeners.pop(listen, None)

    @property
    def task(self) -> TaskSpec:
        """The definition of a unit that is a task."""
        if not isinstance(self.spec, TaskSpec):
            raise TypeError(f"{self.name} is a service")
        return self.spec


def _is_secret_name(name: str) -> bool:
    return any(part in name.upper() for part in _SECRET_NAMES)


def _verb(need: Need) -> str:
    return "failed" if need.state is ServiceState.FAILED else "ended"


def _reachable(address: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - only compared
