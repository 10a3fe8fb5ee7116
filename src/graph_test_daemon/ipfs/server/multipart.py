"""The parts of a form, as they come: names, kinds and content, a piece at a time.

Source: RFC 7578, and how Kubo's clients use it: file names are percent-encoded paths, folders are
parts of the type `application/x-directory`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from .faults import BadRequest

__all__ = ["Form", "Part", "PartEnd"]

_DIRECTORIES = frozenset({"application/x-directory", "multipart/form-data", "multipart/mixed"})
_DEEPEST = 128
_SYMLINK = "application/symlink"


@dataclass(frozen=True, slots=True)
class Part:
    """The beginning of one.

    Attributes:
        path: names from the outermost folder to its own; empty: it has no name.
        is_directory: it is a folder.
    """

    path: tuple[str, ...]
    is_directory: bool


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The end of one."""


class Form:
    """A form that is read as it comes.

    Args:
        content_type: of the request.

    Raises:
        BadRequest: it is no form.
    """

    def __init__(self, content_type: str) -> None:
        kind, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise BadRequest("file argument 'path' is required: no multipart form with a boundary")
        self._headers: dict[str, bytes] = {}
        self._name = self._value = b""
        self._found: list[Part | bytes | PartEnd] = []
        self.is_ended = False
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._header_end,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": self._data,
                    "on_part_end": lambda: self._found.append(PartEnd()),
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise BadRequest(str(error)) from error

    def feed(self, data: bytes) -> Iterator[Part | bytes | PartEnd]:
        """Take more of the body; return what it has: beginnings, pieces of content, ends.

        Raises:
            BadRequest: it is not as its boundary says, or asks for what is not supported.
        """
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BadRequest(f"the form cannot be read: {error}") from error
        found, self._found = self._found, []
        yield from found

    def finish(self) -> None:
        """Be told that the body is over.

        Raises:
            BadRequest: the form is not.
        """
        if not self.is_ended:
            raise BadRequest("the form ends too early")

    def _begin(self) -> None:
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._name.decode("latin-1").lower()] = self._value
        self._name = self._value = b""

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        kind = self._headers.get("content-type", b"").partition(b";")[0].decode("latin-1").strip()
        path = _path(options.get(b"filename", b""))
        if kind == _SYMLINK:
            raise BadRequest(f"symbolic links are not supported: {'/'.join(path)}")
        self._found.append(Part(path, kind in _DIRECTORIES))

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._found.append(data[start:end])

    def _end(self) -> None:
        self.is_ended = True


def _path(name: bytes) -> tuple[str, ...]:
    """Return a file name's parts; `..` leads to where it does, but never out."""
    try:
        text = unquote_to_bytes(name.replace(b"+", b" ")).decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"the file name {name!r} is not UTF-8") from error
    parts: list[str] = []
    for part in text.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    if len(parts) > _DEEPEST:
        raise BadRequest(f"a file name has {_DEEPEST} parts at most")
    return tuple(parts)
