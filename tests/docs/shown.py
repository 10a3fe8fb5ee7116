"""Compare what a page shows with what a command printed.

A page is written for people, so it shows one run; these may differ in another one:

- blanks: a run of them counts as one (columns are as wide as their contents);
- `...` alone on a line stands for any lines, inside a line for any text;
- what `VARIES` lists: times, spans of time, sizes, ports, process ids, numbers of
  events, ids of operations, tries of a check.
"""

from __future__ import annotations

import difflib
import re

__all__ = ["VARIES", "difference", "is_shown"]

# In this order: the later ones would take parts of the earlier ones.
VARIES = (
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)?", "MOMENT"),
    (r"\d\d/\w{3}/\d{4} \d\d:\d\d:\d\d", "MOMENT"),  # in the log of Python's web server
    (r"\d\d:\d\d:\d\d(\.\d+)?", "MOMENT"),
    (r"\d+[dhm] \d\d[hms]|\d+(\.\d+)? m?s\b", "SPAN"),
    (r"\d+(\.\d+)? [KM]iB", "SIZE"),
    (r"(?m)^ ?\d+(?= MOMENT )", "EVENT"),
    (r"\d+(?= tries)", "COUNT"),
    (r"\bpid +\d+", "pid PID"),
    (r"(?<=\bMOMENT )\d+(?= [A-Z]+ )", "PID"),  # in the daemon's log
    (r"(?<=\bSPAN )\d+(?= \d+\b)", "PID"),  # in the table of `status`, after the time it is up
    (r"(?<=127\.0\.0\.1:)\d+", "PORT"),
    (r"\b[0-9a-f]{12}\b", "ID"),
    (r"\b\d{4,6}\b", "NUMBER"),  # a port or a pid on its own
)
_ANY = "..."


def is_shown(shown: str, printed: str) -> bool:
    """Tell whether the page shows what was printed."""
    lines = _plain(shown).splitlines()
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == _ANY else _line_pattern(line) for line in lines
    )
    return re.fullmatch(pattern, _plain(printed)) is not None


def difference(shown: str, printed: str) -> str:
    """Return both texts as they were compared, line by line."""
    old, new = _plain(shown).splitlines(), _plain(printed).splitlines()
    return "\n".join(difflib.ndiff(old, new))


def _line_pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.split(_ANY)) + r"\n"


def _plain(text: str) -> str:
    lines = (re.sub(r"[ \t]+", " ", line).rstrip() for line in text.splitlines())
    text = "".join(f"{line}\n" for line in lines)
    for pattern, word in VARIES:
        text = re.sub(pattern, word, text)
    return text
