"""Files and folders as the form that Kubo's `add` takes, sent a piece at a time."""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import anyio

from .errors import IpfsFault

__all__ = ["Item", "Upload", "items"]

_PIECE = 262144
_DIRECTORY = "application/x-directory"


@dataclass(frozen=True, slots=True)
class Item:
    """One part of the form.

    Attributes:
        name: its path, with slashes.
        source: the file, or its content; None: it is a folder.
    """

    name: str
    source: Path | bytes | None


class Upload:
    """A form.

    Args:
        parts: in the order in which they are sent.
        sent: is told of each part that has been sent.
    """

    def __init__(
        self, parts: Sequence[Item], sent: Callable[[Item], Awaitable[None]] | None = None
    ) -> None:
        self._parts = parts
        self._sent = sent
        self._boundary = secrets.token_hex(16)

    @property
    def content_type(self) -> str:
        """Of the request."""
        return f"multipart/form-data; boundary={self._boundary}"

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Return the body; whoever asks for it closes it."""
        for part in self._parts:
            kind = "application/octet-stream" if part.source is not None else _DIRECTORY
            name = quote(part.name, safe="")
            yield (
                f"--{self._boundary}\r\n"
                f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
                f"Content-Type: {kind}\r\n\r\n"
            ).encode()
            match part.source:
                case Path():
                    async with await anyio.open_file(part.source, "rb") as file:
                        while piece := await file.read(_PIECE):
                            yield piece
                case bytes():
                    yield part.source
                case None:
                    pass
            yield b"\r\n"
            if self._sent is not None:
                await self._sent(part)
        yield f"--{self._boundary}--\r\n".encode()


def items(folder: Path, *, hidden: bool) -> list[Item]:
    """Return a folder and all that is in it, by name; blocks.

    Args:
        folder: becomes the top of it, under its name.
        hidden: take what begins with a dot, too.

    Raises:
        IpfsFault: there is something in it that is neither a file nor a folder.
        OSError: it cannot be read.
    """
    return [Item(folder.resolve().name, None), *_below(folder, folder.resolve().name, hidden)]


def _below(folder: Path, name: str, hidden: bool) -> Iterator[Item]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") and not hidden:
            continue
        inner = f"{name}/{path.name}"
        if path.is_symlink():
            raise IpfsFault(
                what=f"add {path}",
                cause="it is a symbolic link",
                hint="add what it leads to, or leave it out",
            )
        if path.is_dir():
            yield Item(inner, None)
            yield from _below(path, inner, hidden)
        elif path.is_file():
            yield Item(inner, path)
        else:
            raise IpfsFault(what=f"add {path}", cause="it is neither a file nor a folder")
