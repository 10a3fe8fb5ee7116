"""What a test run says at its end: where the bundles are, and what is up still."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from .failure import annotation
from .session import BUNDLE

__all__ = ["annotation_lines", "bundle_lines", "kept_lines", "write_summary"]

Kept = Sequence[Mapping[str, str]]


def bundle_lines(reports: Sequence[pytest.TestReport]) -> Iterator[str]:
    """Yield a line for each bundle."""
    for report in reports:
        yield f"bundle of {report.nodeid}: {_page(report)}"


def kept_lines(kept: Kept) -> Iterator[str]:
    """Yield what stacks are up still, how to look at them and how to remove them."""
    for stack in kept:
        yield f"kept {stack['project']}"
        yield f"  look at it:  {stack['look']}"
        yield f"  remove it:   {stack['remove']}"


def annotation_lines(
    reports: Sequence[pytest.TestReport], *, root: Path, env: Mapping[str, str]
) -> Iterator[str]:
    """Yield what GitHub Actions makes annotations of; nothing anywhere else."""
    if env.get("GITHUB_ACTIONS") != "true":
        return
    for report in reports:
        file, line, _ = report.location
        yield annotation(
            file=str(root / file),
            line=(line or 0) + 1,
            title=report.nodeid,
            message=f"{_cause(report)}\nbundle: {_page(report)}",
            env=env,
        )


def write_summary(
    reports: Sequence[pytest.TestReport], kept: Kept, *, env: Mapping[str, str]
) -> None:
    """Add the same to the summary of a step of GitHub Actions, where there is one."""
    path = env.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    lines = ["### Tests with stacks", ""]
    lines += [f"- `{one.nodeid}` failed in {one.when}: `{_page(one)}`" for one in reports]
    lines += [f"- `{stack['project']}` was kept: `{stack['remove']}`" for stack in kept]
    with open(path, "a", encoding="utf-8") as file:
        file.write("\n".join([*lines, "", ""]))


def _page(report: pytest.TestReport) -> Any:
    return [value for name, value in report.user_properties if name == BUNDLE][-1]


def _cause(report: pytest.TestReport) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash is not None else report.longrepr)
