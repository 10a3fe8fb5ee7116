"""What a failed test leaves: a folder with one page for people and one document for programs."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.client import BlockingClient, BundleWindow, bundle_page, gather_bundle

__all__ = ["FailedTest", "annotation", "folder_name", "write_bundle"]

_OTHER = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_NAME = 80
_LINES_BEFORE = 30
_LOG_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTest:
    """What pytest knows of a failed test.

    Attributes:
        id: its node id.
        phase: setup, call or teardown.
        sections: (name, text) of what was captured.
    """

    id: str
    phase: str
    started_at: datetime
    duration_s: float
    file: str
    line: int
    traceback: str
    sections: Sequence[tuple[str, str]]

    def document(self) -> dict[str, Any]:
        """Return it as a bundle has it."""
        return {
            "id": self.id,
            "phase": self.phase,
            "started_at": self.started_at.isoformat(),
            "duration_s": self.duration_s,
            "file": self.file,
            "line": self.line,
            "traceback": self.traceback,
            "sections": [list(section) for section in self.sections],
        }


def write_bundle(
    directory: Path,
    client: BlockingClient,
    projects: Sequence[str],
    test: FailedTest,
    *,
    versions: Mapping[str, Any],
    log: Path | None = None,
) -> Path:
    """Write the bundle of a failed test; return the page.

    Args:
        directory: where its folder is made.
        client: of the daemon.
        projects: of the stacks that it used.
        test: what failed.
        versions: of the test runner.
        log: of the daemon, where it is the run's own; it goes with the run.

    Raises:
        OSError: it cannot be written.
    """
    window = BundleWindow(since=test.started_at, lines_before=_LINES_BEFORE)
    bundle = client.run(
        lambda inner: gather_bundle(
            inner, projects, window=window, test=test.document(), versions=versions
        )
    )
    bundle["daemon_log"] = [] if log is None else _last_lines(log)
    folder = directory / folder_name(test.id, test.phase)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(bundle, indent=1, ensure_ascii=False, default=str)
    (folder / "bundle.json").write_text(text + "\n", "utf-8", "backslashreplace")
    page = folder / "bundle.html"
    page.write_text(bundle_page(bundle), "utf-8")
    return page


def _last_lines(log: Path) -> list[str]:
    """Return the end of a daemon's log; its secrets are masked when it is written."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _LOG_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError as error:
        return [f"cannot read {log}: {error.strerror}"]
    lines = text.splitlines()
    return lines if size <= _LOG_BYTES else lines[1:]


def folder_name(test_id: str, phase: str) -> str:
    """Return a name for the folder of a failed test that no other one has."""
    text = _OTHER.sub("-", test_id).strip("-.")
    if text != test_id or len(text) > _LONGEST_NAME:
        mark = hashlib.sha256(test_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        text = f"{text[-_LONGEST_NAME:].lstrip('-.')}-{mark}"
    return text if phase == "call" else f"{text}-{phase}"


def annotation(*, file: str, line: int, title: str, message: str, env: Mapping[str, str]) -> str:
    """Return a line that GitHub Actions shows beside the test's own line.

    Args:
        file: absolute path.
        line: from 1.
        title: short.
        message: may have several lines.
        env: its GITHUB_WORKSPACE is what the file is told from.
    """
    root = env.get("GITHUB_WORKSPACE") or os.getcwd()
    place = os.path.relpath(file, root)
    facts = f"file={_fact(place)},line={line},title={_fact(title)}"
    return f"::error {facts}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _fact(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
