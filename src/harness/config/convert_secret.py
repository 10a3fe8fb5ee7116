"""Where a secret comes from, as a file says it, to what is asked when a unit starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from harness.model import SecretSpec

from .convert_command import argv
from .nodes import Scalar
from .problems import Site
from .schema_raw import RawSecret
from .static import StaticLookup, resolve_scalar

__all__ = ["convert_secret"]


def convert_secret(
    name: str, raw: RawSecret, site: Site, *, lookup: StaticLookup, base_dir: str
) -> SecretSpec | None:
    """Return the secret; None when that was a problem, which is reported at `site`.

    Args:
        name: of the secret.
        raw: what the file says.
        site: where.
        lookup: what names in the path of its file stand for.
        base_dir: directory of the stack file that it stands in.
    """
    if [raw.file, raw.env, raw.command].count(None) != 2:
        site.report("config-value", "must have exactly one of file, env and command")
        return None
    return SecretSpec(
        name=name,
        env=raw.env,
        file=None if raw.file is None else _path(raw.file, site.at("file"), lookup, base_dir),
        **_command(raw, site, base_dir),
    )


def _path(file: str, site: Site, lookup: StaticLookup, base_dir: str) -> str:
    if isinstance(site.node, Scalar):
        resolved = resolve_scalar(site.node, site, lookup)
        file = os.path.expanduser(file if resolved is None else resolved.text)
    return os.path.join(base_dir, file)


def _command(raw: RawSecret, site: Site, base_dir: str) -> Mapping[str, Any]:
    if raw.command is None:
        if raw.shell or raw.timeout is not None:
            site.report("config-value", "`shell` and `timeout` go with a command")
        return {}
    if raw.timeout is not None and raw.timeout <= 0:
        site.at("timeout").report("config-value", "must be more than 0")
    found = {
        "command": argv(raw.command, None, raw.shell, site.at("command")),
        "base_dir": base_dir,
    }
    return found if raw.timeout is None else {**found, "timeout_s": raw.timeout}
