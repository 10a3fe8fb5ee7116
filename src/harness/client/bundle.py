"""Everything that tells why a project is as it is, gathered into one JSON document.

What a failed test leaves for whoever looks at it later, and what `harness bundle` writes. Each part
is asked for by itself and has its own bounds: where one cannot be had, the bundle says so and has
the others.
"""

from __future__ import annotations

import heapq
import platform
import sys
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import anyio

from harness import __version__
from harness.errors import HarnessError

if TYPE_CHECKING:
    from .client import Client

__all__ = ["BUNDLE_VERSION", "BundleWindow", "gather_bundle", "gather_project"]

BUNDLE_VERSION = 1
_PAGE = 1_000
_LONGEST_LINE = 8_000
_EVENTS_BEFORE = 50
_VERSIONS_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleWindow:
    """What of the past is wanted.

    Attributes:
        since: the beginning, aware UTC, and a few events before it; None: all, within the other
            bounds.
        lines_before: the last ones of each unit from before that, too.
        lines: the newest lines of each unit, at most.
        log_bytes: of all units' output, at most; the newest are kept.
        events: the newest of the project, at most.
        within_s: what has not been answered by then is left out.
    """

    since: datetime | None = None
    lines_before: int = 0
    lines: int = 2_000
    log_bytes: int = 4 * 1024 * 1024
    events: int = 2_000
    within_s: float = 20.0


async def gather_bundle(
    client: Client,
    projects: Sequence[str],
    *,
    window: BundleWindow,
    test: Mapping[str, Any] | None = None,
    versions: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return the document that `bundle_page` shows.

    Args:
        client: of the daemon.
        projects: what it is about.
        window: what of the past is wanted, of each project.
        test: what failed; None: nothing did, somebody wants to look.
        versions: of what else has a part in it.

    Returns:
        {version, made_at, test, versions, projects}: `projects` as of `gather_project`.
    """
    return {
        "version": BUNDLE_VERSION,
        "made_at": datetime.now(UTC).isoformat(),
        "test": test,
        "versions": {**await _software_versions(client), **versions},
        "projects": [await gather_project(client, project, window=window) for project in projects],
    }


async def _software_versions(client: Client) -> dict[str, Any]:
    plugins, _ = await _asked(client.plugins.list(), [], within_s=_VERSIONS_S)
    return {
        "harness": __version__,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "machine": platform.machine(),
        "daemon": client.hello["version"],
        "plugins": plugins,
    }


async def gather_project(
    client: Client, project: str, *, window: BundleWindow | None = None
) -> dict[str, Any]:
    """Return all about a project; secrets are masked, but what services print is as it is.

    Returns:
        {version, project, gathered_at, since, lease, services, plan, environment, events, health,
        why, processes, logs, lost, problems}: `services` as of `status`; `plan` unit → definition;
        `environment` unit → its variables as they were resolved; `why` unit → explanation, of each
        that is not ready; `logs` [{at, unit, stream, text}] in order of time; `lost` unit → lines,
        at least so many, that were left out; `problems` what could not be had, and why.
    """
    gathering = _Gathering(client, project, window or BundleWindow())
    return await gathering.run()


class _Gathering:
    def __init__(self, client: Client, project: str, window: BundleWindow) -> None:
        self._client = client
        self._project = project
        self._window = window
        self._until = anyio.current_time() + window.within_s
        self._problems: list[dict[str, str]] = []

    async def run(self) -> dict[str, Any]:
        client, project = self._client, self._project
        status = await self._part("services", client.services.status(project=project), {})
        services: list[dict[str, Any]] = status.get("services", [])
        names = [unit["name"] for unit in services]
        details = {
            name: found
            for name in names
            if (
                found := await self._part(
                    f"inspect {name}", client.services.inspect(project=project, unit=name), None
                )
            )
        }
        why = {
            unit["name"]: await self._part(
                f"why {unit['name']}",
                client.services.why(project=project, unit=unit["name"]),
                None,
            )
            for unit in services
            if not unit["ready"]
        }
        environment = {
            name: await self._part(
                f"env {name}", client.services.env(project=project, unit=name), {}
            )
            for name in names
        }
        usages = await self._part("processes", client.services.top(project=project), [])
        health = await self._part("health", client.health.list(project=project), [])
        events = await self._part("events", self._events(), [])
        logs, lost = await self._part("logs", self._logs(names), ([], {})) if names else ([], {})
        since = self._window.since
        return {
            "version": BUNDLE_VERSION,
            "project": project,
            "gathered_at": datetime.now(UTC).isoformat(),
            "since": None if since is None else since.isoformat(),
            "lease": status.get("lease"),
            "services": services,
            "plan": {name: found["spec"] for name, found in details.items()},
            "environment": environment,
            "events": events,
            "health": health,
            "why": {name: found for name, found in why.items() if found is not None},
            "processes": _processes(usages, details),
            "logs": logs,
            "lost": lost,
            "problems": self._problems,
        }

    async def _part(self, name: str, asking: Awaitable[Any], otherwise: Any) -> Any:
        left_s = self._until - anyio.current_time()
        value, problem = await _asked(asking, otherwise, within_s=left_s)
        if problem is not None:
            self._problems.append({"part": name, "problem": problem})
        return value

    async def _events(self) -> list[dict[str, Any]]:
        kept: deque[dict[str, Any]] = deque(maxlen=self._window.events)
        newest = (await self._client.daemon.status())["last_event"]
        after = max(0, newest - 10 * self._window.events)
        while True:
            page = await self._client.events.list(after=after, limit=_PAGE, project=self._project)
            kept.extend(map(dict, page))
            if len(page) < _PAGE:
                break
            after = page[-1]["number"]
        if self._window.since is None:
            return list(kept)
        since = self._window.since
        before = sum(datetime.fromisoformat(event["at"]) < since for event in kept)
        return list(kept)[max(0, before - _EVENTS_BEFORE) :]

    async def _logs(self, names: Sequence[str]) -> tuple[list[dict[str, Any]], dict[str, int]]:
        window = _LogWindow(names, lines=self._window.lines, most_bytes=self._window.log_bytes)
        # One more than wanted: that there were more is to be told.
        async with self._client.logs.read(
            project=self._project, tail=self._window.lines + 1
        ) as chunks:
            async for chunk in chunks:
                window.take(chunk)
        if self._window.since is not None:
            window.begin_at(self._window.since, before=self._window.lines_before)
        return window.lines(), window.lost


class _LogWindow:
    """The newest lines, as many as the bounds allow."""

    def __init__(self, names: Sequence[str], *, lines: int, most_bytes: int) -> None:
        self._units: dict[str, deque[dict[str, Any]]] = {name: deque() for name in names}
        self._most_lines = lines
        self._share = most_bytes // max(len(names), 1)
        self._sizes = dict.fromkeys(names, 0)
        self.lost: dict[str, int] = {}

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Take a piece of output, and let go of the oldest where there is too much."""
        unit = chunk["unit"]
        lines = self._units.setdefault(unit, deque())
        for text in chunk["text"].splitlines():
            if len(text) > _LONGEST_LINE:
                text = f"{text[:_LONGEST_LINE]}… ({len(text)} characters)"
            line = {"at": chunk["at"], "unit": unit, "stream": chunk["stream"], "text": text}
            lines.append(line)
            self._sizes[unit] = self._sizes.get(unit, 0) + len(text)
            while len(lines) > self._most_lines or (
                len(lines) > 1 and self._sizes[unit] > self._share
            ):
                self._sizes[unit] -= len(lines.popleft()["text"])
                self.lost[unit] = self.lost.get(unit, 0) + 1

    def begin_at(self, since: datetime, *, before: int) -> None:
        """Let go of older lines, but for the last few of each unit, which tell how it was then."""
        for unit, lines in self._units.items():
            # The clock may have been set back meanwhile: what came later is not older.
            older = sum(1 for _ in takewhile(partial(_is_before, since), lines))
            for _ in range(older - before):
                lines.popleft()
            if older:
                self.lost.pop(unit, None)  # of what was wanted nothing is lost

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of all units in order of time; those of one unit stay in their own."""
        return list(heapq.merge(*self._units.values(), key=lambda line: line["at"] or ""))


def _is_before(since: datetime, line: Mapping[str, Any]) -> bool:
    return line["at"] is None or datetime.fromisoformat(line["at"]) < since


def _processes(
    usages: Sequence[Mapping[str, Any]], details: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return what runs of each unit: what `top` tells, and the handle of its run."""
    found = {usage["name"]: dict(usage) for usage in usages}
    for name, unit in details.items():
        if unit["handle"] is not None:
            found.setdefault(name, {"name": name})["handle"] = unit["handle"]
    return found


async def _asked(
    asking: Awaitable[Any], otherwise: Any, *, within_s: float
) -> tuple[Any, str | None]:
    """Return an answer, or something else and why there is none."""
    try:
        with anyio.fail_after(within_s):
            return await asking, None
    except TimeoutError:
        return otherwise, "it could not be had in time"
    except HarnessError as error:
        return otherwise, str(error)
