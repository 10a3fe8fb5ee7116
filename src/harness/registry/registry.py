"""Who is where, in which state and version: questions over all projects of a daemon.

The registry keeps nothing of its own. Its entries are made, at the moment of asking, from what the
supervisor stores, so it can never disagree with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from harness.errors import ServiceNotFound
from harness.model import Endpoint, HealthState, ServiceState, UnitKind
from harness.suggestions import guess

__all__ = ["Entry", "Registry"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One unit of one project.

    Attributes:
        version: of the service, as its definition says; free text.
        endpoints: by name, as seen from the harness's own host.
        node: the host it runs on; None is this one.
        since: ISO time of the last change of state.
    """

    project: str
    name: str
    kind: UnitKind
    type: str
    state: ServiceState
    health: HealthState
    version: str | None = None
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    node: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    since: str | None = None


class Registry:
    """Answers questions about entries.

    Args:
        entries: returns all entries as they are now, in the order of projects and files.
    """

    def __init__(self, entries: Callable[[], Iterable[Entry]]) -> None:
        self._entries = entries

    def list(self, *, project: str | None = None, label: str | None = None) -> list[Entry]:
        """Return entries, of one project and with one label if given.

        Args:
            project: its name.
            label: `name` for any value, or `name=value`.
        """
        return [
            entry
            for entry in self._entries()
            if (project is None or entry.project == project)
            and (label is None or _has_label(entry, label))
        ]

    def entry(self, project: str, name: str) -> Entry:
        """Return one entry.

        Raises:
            ServiceNotFound: no such project, or no such unit in it.
        """
        names = []
        for entry in self.list(project=project):
            if entry.name == name:
                return entry
            names.append(entry.name)
        raise ServiceNotFound(
            f'cannot find "{name}" in project "{project}"', hint=guess(name, names)
        )


def _has_label(entry: Entry, label: str) -> bool:
    name, separator, value = label.partition("=")
    if not separator:
        return name in entry.labels
    return entry.labels.get(name) == value
