"""Blocks and pins on disk, and beside them each added file as a file under its name.

    ROOT/version          of this layout
    ROOT/blocks/ab/abcd…  each block, by its hash
    ROOT/pins/CID         what garbage collection keeps, one file each
    ROOT/files/CID        the content of added files: graph-node's dev mode opens CIDs as files
    ROOT/tmp/             what is being written

Whatever is not below `tmp` is whole: it is written there and then renamed. A block that does not
have its hash, as after a power cut, counts as missing and is replaced when it is added again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Self

from .blocks import Kind
from .cid import RAW, Cid
from .dag import Added, FileWriter, Form, Put, children, read, unixfs
from .errors import ContentNotFound, InvalidCid, IpfsFault

__all__ = ["FileSink", "Pin", "Session", "Store"]

_VERSION = 1

PinType = Literal["recursive", "direct"]


@dataclass(frozen=True, slots=True)
class Pin:
    """Why a block is kept: by itself, or with all that it reaches."""

    type: PinType
    name: str = ""


class Store:
    """One directory of content; a context manager, open once at a time on the whole machine.

    Args:
        root: the directory, made if it is not there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = -1
        self._sessions: list[Session] = []

    def __enter__(self) -> Self:
        """Open it.

        Raises:
            IpfsFault: another process has it open, it is of a newer version, or no directory.
        """
        try:
            for name in ("blocks", "pins", "files"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._cannot_open(error.strerror or str(error)) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._check_version()
        except BlockingIOError as error:
            os.close(self._lock)
            raise self._cannot_open("another server has it open") from error
        except IpfsFault:
            os.close(self._lock)
            raise
        shutil.rmtree(self._tmp, ignore_errors=True)
        self._tmp.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._lock)  # which releases it

    # ── blocks ───────────────────────────────────────────────────────────────────────────────────

    def block(self, cid: Cid) -> bytes:
        """Return a block.

        Raises:
            ContentNotFound: it is not here, or is damaged.
        """
        if cid.inline is not None:
            return cid.inline
        with suppress(OSError):
            block = self.place(cid).read_bytes()
            if cid.is_of(block):
                return block
        raise ContentNotFound(
            what=str(cid),
            cause=f"block was not found locally (offline): ipld: could not find {cid}",
        )

    def has(self, cid: Cid) -> bool:
        """Tell whether a block is here."""
        return cid.inline is not None or self.place(cid).is_file()

    def check(self, cid: Cid) -> None:
        """Look whether a tree is whole.

        Raises:
            ContentNotFound: a block is missing or damaged.
            IpfsFault: a block has links that cannot be read.
        """
        for part in self._reached(cid):
            self.block(part)

    def stat(self) -> tuple[int, int]:
        """Return how many blocks there are, and their bytes."""
        sizes = [path.stat().st_size for path in (self.root / "blocks").glob("*/*")]
        return len(sizes), sum(sizes)

    def put(self, cid: Cid, block: bytes) -> None:
        """Keep a block; a session's `put` keeps it from garbage collection, too.

        Raises:
            IpfsFault: it is of a hash function that is not kept.
        """
        if not cid.is_sha256:
            raise IpfsFault(what=f"keep {cid}", cause="only SHA2-256 hashes are supported")
        place = self.place(cid)
        with suppress(FileNotFoundError):
            if place.stat().st_size == len(block) and place.read_bytes() == block:
                return
        self._write(place, block)

    def place(self, cid: Cid) -> Path:
        """Return where a block is, or would be."""
        # One of another hash function is nowhere: none is ever put.
        key = cid.digest.hex() if cid.is_sha256 else f"{cid.hash_code:x}-{cid.digest.hex()}"
        return self.root / "blocks" / key[:2] / key

    # ── adding ───────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Add in it; what was added is safe from garbage collection until it ends, or is pinned."""
        session = Session(self)
        self._sessions.append(session)
        try:
            yield session
        finally:
            self._sessions.remove(session)
            session.abandon()

    def mirror(self, cid: Cid) -> None:
        """Have the content of a file below `files`; do nothing for what is no whole file.

        It is for files that came as blocks; added ones are there already.
        """
        target = self.root / "files" / str(cid)
        if target.exists():
            return
        try:
            if unixfs(cid, self.block(cid))[1].kind not in (Kind.FILE, Kind.RAW):
                return
            with self.new_file() as (file, temporary):
                file.writelines(read(cid, self.block))
                file.flush()
                temporary.rename(target)
        except (ContentNotFound, IpfsFault):
            return

    # ── pins ─────────────────────────────────────────────────────────────────────────────────────

    def pins(self) -> dict[str, Pin]:
        """Return all pins, by the CIDs that they were made with."""
        found = {}
        for path in sorted((self.root / "pins").iterdir()):
            with suppress(OSError, ValueError, TypeError):
                found[path.name] = Pin(**json.loads(path.read_bytes()))
        return found

    def pin(self, cid: Cid, pin: Pin) -> None:
        """Keep a block, or a whole tree.

        Raises:
            ContentNotFound: a part is not here.
            IpfsFault: a part has links that cannot be read.
        """
        if pin.type == "recursive":
            self.check(cid)
        else:
            self.block(cid)
        self.keep(cid, pin)
        if pin.type == "recursive":
            self.mirror(cid)

    def keep(self, cid: Cid, pin: Pin) -> None:
        """Pin what was added in this moment, so that nobody needs to look."""
        document = {"type": pin.type, "name": pin.name}
        self._write(self.root / "pins" / str(cid), json.dumps(document).encode())

    def unpin(self, cid: Cid) -> None:
        """Keep it no longer; it stays until garbage is collected.

        Raises:
            IpfsFault: it is not pinned by this name.
        """
        try:
            (self.root / "pins" / str(cid)).unlink()
        except FileNotFoundError as error:
            raise IpfsFault(what=f"unpin {cid}", cause="not pinned or pinned indirectly") from error

    def indirect(self) -> dict[str, Cid]:
        """Return what is kept because of another's pin, with one that it is kept for."""
        pins = self.pins()
        found: dict[str, Cid] = {}
        for name, pin in pins.items():
            if pin.type == "recursive":
                root = Cid.parse(name)
                for part in self._reached(root, missing_ok=True):
                    if part != root and str(part) not in pins:
                        found.setdefault(str(part), root)
        return found

    def collect_garbage(self) -> list[Cid]:
        """Remove what no pin keeps; return the names of the blocks removed."""
        live: set[bytes] = set().union(*(session.digests for session in self._sessions))
        for name, pin in self.pins().items():
            root = Cid.parse(name)
            live.add(root.digest)
            if pin.type == "recursive":
                live.update(part.digest for part in self._reached(root, missing_ok=True))
        removed = []
        for path in (self.root / "blocks").glob("*/*"):
            digest = bytes.fromhex(path.name)
            if digest not in live:
                path.unlink()
                removed.append(Cid.of_digest(digest, codec=RAW, version=1))
        for path in (self.root / "files").iterdir():
            if not _is_live(path.name, live):
                path.unlink()
        return removed

    def _reached(self, root: Cid, *, missing_ok: bool = False) -> Iterator[Cid]:
        """Return each block of a tree once; of a missing one without what is below it."""
        seen: set[bytes] = set()
        waiting = [root]
        while waiting:
            cid = waiting.pop()
            if cid.digest in seen:
                continue
            seen.add(cid.digest)
            yield cid
            try:
                below = () if cid.codec == RAW else children(cid, self.block(cid))
            except ContentNotFound:
                if not missing_ok:
                    raise
                below = ()
            waiting += [link.cid for link in below]

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    @property
    def _tmp(self) -> Path:
        return self.root / "tmp"

    def _write(self, place: Path, data: bytes) -> None:
        with self.new_file() as (file, temporary):
            file.write(data)
            file.flush()
            try:
                temporary.rename(place)
            except FileNotFoundError:
                place.parent.mkdir(exist_ok=True)
                temporary.rename(place)

    @contextmanager
    def new_file(self) -> Iterator[tuple[BinaryIO, Path]]:
        """Open a file below `tmp`; unless it is renamed it goes again."""
        descriptor, name = tempfile.mkstemp(dir=self._tmp)
        try:
            with open(descriptor, "wb") as file:
                os.fchmod(descriptor, 0o644)  # graph-node may be another user
                yield file, Path(name)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(name)

    def _check_version(self) -> None:
        path = self.root / "version"
        try:
            version = int(path.read_text())
        except FileNotFoundError:
            path.write_text(f"{_VERSION}\n")
            return
        except ValueError as error:
            raise self._cannot_open("its file `version` holds no number") from error
        if version > _VERSION:
            raise self._cannot_open(f"it has version {version}, and this reads {_VERSION} at most")

    def _cannot_open(self, cause: str) -> IpfsFault:
        return IpfsFault(what=f"open the repository {self.root}", cause=cause)


class Session:
    """What one caller is adding.

    Attributes:
        digests: of all blocks that were put.
    """

    def __init__(self, store: Store) -> None:
        self.digests: set[bytes] = set()
        self._store = store
        self._sinks: list[FileSink] = []

    def put(self, cid: Cid, block: bytes) -> None:
        """Keep a block.

        Raises:
            IpfsFault: it is of a hash function that is not kept.
        """
        self.digests.add(cid.digest)
        self._store.put(cid, block)

    def file(self, form: Form) -> FileSink:
        """Begin a file."""
        sink = FileSink(self._store, self.put, form)
        self._sinks.append(sink)
        return sink

    def abandon(self) -> None:
        """Let go of files that were not finished."""
        for sink in self._sinks:
            sink.abandon()


class FileSink:
    """A file on its way into blocks, and into one below `files`.

    Args:
        store: that it goes into.
        put: keeps its blocks.
        form: of its tree.
    """

    def __init__(self, store: Store, put: Put, form: Form) -> None:
        self._store = store
        self._writer = FileWriter(put, form)
        self._opened = ExitStack()
        self._copy, self._temporary = self._opened.enter_context(store.new_file())

    def write(self, data: bytes) -> None:
        """Append content."""
        self._writer.write(data)
        self._copy.write(data)

    def finish(self) -> Added:
        """Write what is left; return its root."""
        with self._opened:
            added = self._writer.finish()
            self._copy.flush()
            target = self._store.root / "files" / str(added.cid)
            if added.cid.codec == RAW:  # its block is its content: one file for both
                with suppress(FileExistsError):
                    os.link(self._store.place(added.cid), target)
            else:
                self._temporary.rename(target)
        return added

    def abandon(self) -> None:
        """Let go of it, unless it is finished."""
        self._opened.close()


def _is_live(name: str, live: set[bytes]) -> bool:
    try:
        return Cid.parse(name).digest in live
    except InvalidCid:
        return True  # somebody else's file
