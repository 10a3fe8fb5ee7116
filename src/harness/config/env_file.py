r"""Files of `NAME=value` lines.

    # comment            export NAME=value       NAME='as it is'       NAME="with \n and \" in it"
    NAME=value # comment  NAME=                  NAME="several
    lines"

Values are taken as they are: nothing in them is substituted. A later line wins.
"""

from __future__ import annotations

import os
import re

from harness.errors import ConfigSyntaxError, Problem

__all__ = ["parse_env_file", "read_env_file"]

_START = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*")
_SINGLE = re.compile(r"'([^']*)'")
_DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?=\n|\Z)")
_BARE = re.compile(r"[^\n]*")
_COMMENT = re.compile(r"(?:^|[ \t]+)#.*")
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?\n|[ \t]+\Z|[ \t]*#[^\n]*\Z")
_ESCAPE = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "$": "$", "`": "`", "\n": ""}


def read_env_file(path: str | os.PathLike[str]) -> dict[str, str]:
    """Read and parse a file; see `parse_env_file`.

    Raises:
        ConfigSyntaxError: it cannot be read, is not UTF-8, or a line of it is wrong.
    """
    path = os.fspath(path)
    try:
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise _failure(path, 1, 1, f"cannot read it: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _failure(path, 1, 1, f"it is not UTF-8 text: {error.reason}") from error
    return parse_env_file(text, path=path)


def parse_env_file(text: str, *, path: str) -> dict[str, str]:
    """Return name → value, in file order.

    Raises:
        ConfigSyntaxError: with every wrong line, each with its line and column.
    """
    values: dict[str, str] = {}
    problems: list[Problem] = []
    at = 0
    while at < len(text):
        blank = _BLANK.match(text, at)
        if blank:
            at = blank.end()
            continue
        start = _START.match(text, at)
        if start is None:
            problems.append(_problem(text, at, path, "a line must be NAME=value"))
            at = _next_line(text, at)
            continue
        value, at = _value(text, start.end(), path, problems)
        values[start[1]] = value
    if problems:
        raise ConfigSyntaxError(problems=problems)
    return values


def _value(text: str, at: int, path: str, problems: list[Problem]) -> tuple[str, int]:
    """Read the value at `at`; return it and the start of the next line."""
    quote = text[at : at + 1]
    if quote not in ("'", '"'):
        bare = _BARE.match(text, at)
        line = bare[0] if bare else ""
        return _COMMENT.sub("", line).rstrip(), _next_line(text, at)
    quoted = (_SINGLE if quote == "'" else _DOUBLE).match(text, at)
    if quoted is None:
        problems.append(_problem(text, at, path, f"the quotation mark {quote} is not closed"))
        return "", _next_line(text, at)
    rest = _REST.match(text, quoted.end())
    if rest is None:
        problems.append(_problem(text, quoted.end(), path, "text follows the quoted value"))
        return "", _next_line(text, quoted.end())
    value = quoted[1] if quote == "'" else re.sub(r"(?s)\\(.)", _unescape, quoted[1])
    return value, rest.end() + 1


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPE.get(match[1], match[0])


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _problem(text: str, at: int, path: str, message: str) -> Problem:
    line_start = text.rfind("\n", 0, at) + 1
    return Problem(
        file=path,
        line=text.count("\n", 0, at) + 1,
        column=at - line_start + 1,
        path="",
        kind=ConfigSyntaxError.kind,
        message=message,
    )


def _failure(path: str, line: int, column: int, message: str) -> ConfigSyntaxError:
    problem = Problem(
        file=path, line=line, column=column, path="", kind=ConfigSyntaxError.kind, message=message
    )
    return ConfigSyntaxError(problems=[problem])
