"""What gnd writes while it generates code and compiles: steps that it did, and errors with places.

Source: gnd 0.45; AssemblyScript 0.19, diagnostics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .problems import Problem, Severity

__all__ = ["read_problems", "read_step"]

_STEP = re.compile(r"^[→✔]\s+(.*)$")
_DIAGNOSTICS = re.compile(r"^(?=(?:ERROR|WARNING) (?:TS|AS)\d+: )", re.MULTILINE)
_HEAD = re.compile(r"(?P<severity>ERROR|WARNING) (?P<code>\w+): (?P<message>.*?)\n\s*\n", re.DOTALL)
_PLACE = re.compile(r"^ in (?P<file>[^\n]+?)\((?P<line>\d+),(?P<column>\d+)\)$", re.MULTILINE)
_LISTED = re.compile(
    r"^(?P<what>\w+)(?: \w+)? validation errors:\n(?P<items>.*?)(?=^Error: |\Z)", re.M | re.S
)
_ITEM = re.compile(r"^  - (.*(?:\n(?!  - ).*)*)", re.MULTILINE)
_PARSE_ERROR = re.compile(r"Parse error at (\d+):(\d+)\s*")
_LAST_RESORT = re.compile(r"^Error: (.*)", re.MULTILINE | re.DOTALL)
_CAUSE = re.compile(r"\n+Caused by:\s+")


def read_step(line: str) -> str | None:
    """Return what the tool did, as one of its lines tells; None: it tells of something else."""
    found = _STEP.match(line.strip())
    return found[1] if found else None


def read_problems(output: str, *, manifest: str, schema: str) -> tuple[Problem, ...]:
    """Read the errors and warnings; at least one error comes back, for the tool failed.

    Args:
        output: all that the tool wrote to its error output.
        manifest: the manifest's name, for errors that name no file.
        schema: the schema's path, likewise.
    """
    files = {"Schema": schema}
    problems = list(dict.fromkeys(_diagnostics(output)))
    for block in _LISTED.finditer(output):
        file = files.get(block["what"], manifest)
        problems += [_listed(item, file) for item in _ITEM.findall(block["items"] + "\n")]
    if not any(problem.severity is Severity.ERROR for problem in problems):
        problems.append(Problem(message=_rest(output), file=manifest))
    return tuple(problems)


def _diagnostics(output: str) -> Iterator[Problem]:
    for block in _DIAGNOSTICS.split(output)[1:]:
        head, place = _HEAD.match(block), _PLACE.search(block)
        if head is None:
            continue
        yield Problem(
            message=f"{' '.join(head['message'].split())} ({head['code']})",
            file=place["file"] if place else "",
            line=int(place["line"]) if place else 0,
            column=int(place["column"]) if place else 0,
            severity=Severity(head["severity"].lower()),
        )


def _listed(item: str, file: str) -> Problem:
    line = column = 0
    if place := _PARSE_ERROR.search(item):
        line, column = int(place[1]), int(place[2])
        item = item.replace(place[0], "")
    return Problem(message=" ".join(item.split()), file=file, line=line, column=column)


def _rest(output: str) -> str:
    """Return the tool's own last words, for an error of a form that is not known."""
    found = _LAST_RESORT.search(output)
    text = _CAUSE.sub(": ", found[1] if found else output)
    return " ".join(text.split()) or "the tool failed and did not say why"
