"""Contexts: names for daemons, kept in the user's configuration, private.

Tokens and keys are not in it, only the files they are in. Imports little: every command asks which
context is in use.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.errors import ContextError, ContextNotFound

if TYPE_CHECKING:
    from .remote import Remote

__all__ = ["LOCAL", "Context", "Contexts"]

LOCAL = "local"
"""The context of the user's own daemon on this machine, which always exists."""

_VERSION = 1
_LONGEST_NAME = 64


class Context(NamedTuple):
    """How a daemon is reached; paths are absolute."""

    url: str
    token_file: str | None = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def exposed(self) -> list[str]:
        """Return the files that should be the user's alone and that others may read."""
        private = (self.token_file, self.key or self.certificate)
        return [path for path in private if path is not None and _may_others_read(path)]

    def remote(self) -> Remote:
        """Return what `connect` takes, with the token that the file has now.

        Raises:
            ContextError: the file cannot be read.
        """
        from .remote import Remote

        paths = (self.ca, self.certificate, self.key)
        ca, certificate, key = (None if path is None else Path(path) for path in paths)
        token = None if self.token_file is None else _token(self.token_file)
        return Remote(url=self.url, token=token, ca=ca, certificate=certificate, key=key)


class Contexts:
    """The contexts of a user.

    Attributes:
        path: of the file; there is none before the first context.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of_user(cls, env: Mapping[str, str] | None = None) -> Contexts:
        """Return those of the user that the environment names."""
        env = os.environ if env is None else env
        base = env.get("XDG_CONFIG_HOME", "")
        directory = Path(base) if os.path.isabs(base) else Path.home() / ".config"
        return cls(directory / "graph-network-harness" / "contexts.json")

    def all(self) -> dict[str, Context]:
        """Return name → context, in the order in which they were added."""
        return _read_contexts(self.path, self._document())

    def find(self, name: str) -> Context:
        """Return one context.

        Raises:
            ContextNotFound: there is none of that name.
        """
        contexts = self.all()
        if name in contexts:
            return contexts[name]
        raise ContextNotFound.of(name, [*contexts, LOCAL])

    @property
    def current(self) -> str:
        """The name of the context that is used when none is said."""
        return str(self._document().get("current") or LOCAL)

    def add(self, name: str, context: Context) -> None:
        """Add a context.

        Raises:
            ContextError: the name is none, or taken, or the address is none.
        """
        from .remote import split_url

        if not name.isprintable() or not 0 < len(name) <= _LONGEST_NAME or name.startswith("-"):
            raise ContextError(f"cannot add the context {name[:80]!r}: that is no name")
        split_url(context.url)
        with self._changing():
            contexts = self.all()
            if name == LOCAL or name in contexts:
                raise ContextError(
                    f'cannot add the context "{name}": there is one of that name',
                    hint="take another name" if name == LOCAL else f"harness context remove {name}",
                )
            self._write({**contexts, name: context}, self.current)

    def use(self, name: str) -> None:
        """Use a context when none is said.

        Raises:
            ContextNotFound: there is none of that name.
        """
        with self._changing():
            if name != LOCAL:
                self.find(name)
            self._write(self.all(), name)

    def remove(self, name: str) -> None:
        """Forget a context; the files it names stay.

        Raises:
            ContextNotFound: there is none of that name.
        """
        with self._changing():
            self.find(name)
            left = {key: context for key, context in self.all().items() if key != name}
            self._write(left, LOCAL if self.current == name else self.current)

    def _document(self) -> dict[str, Any]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(error) from error
        try:
            document = json.loads(text)
        except ValueError as error:
            raise self._unusable(error) from error
        if not isinstance(document, dict) or not _is_known(document.get("version", 0)):
            raise ContextError(
                f"cannot use {self.path}: it is of a newer version, or of something else",
                hint="use the newer version, or move the file away",
            )
        return document

    def _write(self, contexts: Mapping[str, Context], current: str) -> None:
        from harness.private_files import write_private

        document = {
            "version": _VERSION,
            "current": current,
            "contexts": {name: context._asdict() for name, context in contexts.items()},
        }
        write_private(self.path, json.dumps(document, indent=2) + "\n")

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Let no other process change the contexts between reading and writing them."""
        from harness.private_files import locked

        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self.path.with_name("contexts.lock")):
                yield
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> ContextError:
        cause = error.strerror if isinstance(error, OSError) else None
        return ContextError(
            f"cannot use the contexts in {self.path}: {cause or 'it is not what was written'}",
            hint="harness context add writes it anew once it is moved away",
        )


def _is_known(version: object) -> bool:
    return isinstance(version, int) and version <= _VERSION


def _read_contexts(path: Path, document: Mapping[str, Any]) -> dict[str, Context]:
    known = set(Context._fields)
    try:
        return {
            name: Context(**{key: value for key, value in entry.items() if key in known})
            for name, entry in document.get("contexts", {}).items()
        }
    except (AttributeError, TypeError) as error:
        raise ContextError(f"cannot use the contexts in {path}: one has no address") from error


def _may_others_read(path: str) -> bool:
    try:
        return bool(os.stat(path).st_mode & (stat.S_IRGRP | stat.S_IROTH))
    except OSError:
        return False


def _token(path: str) -> str:
    try:
        token = Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else None
        raise ContextError(
            f"cannot read the token in {path}: {cause or 'it holds what no token does'}"
        ) from error
    if not token:
        raise ContextError(f"cannot read the token in {path}: the file is empty")
    return token
