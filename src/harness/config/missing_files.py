"""Files and directories that units need and that are not there, found before anything starts.

What a task leaves cannot be there yet: where one runs before the unit, missing is a warning.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from harness.model import SecretSpec, UnitKind, UnitSpec

from .nodes import Seq
from .problems import Site

__all__ = ["missing_files"]

_KIND = "config-missing-file"


def missing_files(
    units: Mapping[str, UnitSpec],
    secrets: Mapping[str, SecretSpec],
    users: Mapping[str, list[str]],
    site: Site,
) -> None:
    """Report env files, working directories and files of secrets that do not exist.

    Args:
        units: the active units, with all their dependencies.
        secrets: the stack's secrets.
        users: secret → names of the units that use it.
        site: the stack.
    """
    for unit in units.values():
        place = site.at("tasks" if unit.kind is UnitKind.TASK else "services", unit.name)
        is_later = _follows_task(unit, units)
        _env_files(unit, place.at("env_file"), is_later=is_later)
        _working_dir(unit, place.at("working_dir"), is_later=is_later)
    for name, secret in secrets.items():
        if secret.file is not None and "${" not in secret.file:
            using = [units[user] for user in users.get(name, ()) if user in units]
            is_later = all(_follows_task(unit, units) for unit in using)
            _check(secret.file, site.at("secrets", name, "file"), "file", is_later=is_later)


def _env_files(unit: UnitSpec, site: Site, *, is_later: bool) -> None:
    for index, name in enumerate(unit.env_file):
        if "$" not in name:
            place = site.at(index) if isinstance(site.node, Seq) else site
            _check(os.path.join(unit.base_dir, name), place, "file", is_later=is_later)


def _working_dir(unit: UnitSpec, site: Site, *, is_later: bool) -> None:
    """Check the option of that name, which types that have it read alike."""
    name = getattr(unit.options, "working_dir", None)
    if isinstance(name, str) and "$" not in name:
        is_later = is_later or bool(unit.hooks.pre_start)  # a hook may make it
        _check(os.path.join(unit.base_dir, name), site, "directory", is_later=is_later)


def _follows_task(unit: UnitSpec, units: Mapping[str, UnitSpec]) -> bool:
    """Tell whether a task runs before the unit, directly or before what it waits for."""
    seen: set[str] = set()
    left = [edge.on for edge in unit.depends_on]
    while left:
        name = left.pop()
        other = units.get(name)
        if other is None or name in seen:
            continue
        if other.kind is UnitKind.TASK:
            return True
        seen.add(name)
        left.extend(edge.on for edge in other.depends_on)
    return False


def _check(path: str, site: Site, noun: str, *, is_later: bool) -> None:
    """Report a path that is not there; one that may not be looked at counts as there."""
    path = os.path.normpath(path)
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        message = f"there is no {noun} {path}"
    except (OSError, ValueError):
        return
    else:
        if os.path.isdir(path) is (noun == "directory"):
            return
        message = f"{path} is no {noun}"
    if is_later:
        site.warn(_KIND, message)
    else:
        site.report(_KIND, message)
