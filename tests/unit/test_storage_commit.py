"""A commit that the disk refuses takes nothing of what follows with it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.errors import StorageError
from harness.storage import SqliteStore


@contextmanager
def files_that_cannot_grow(path: Path) -> Iterator[None]:
    """Let no file become larger than this one is, as on a disk without space."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_written_after_a_failed_commit_is_stored(tmp_path: Path) -> None:
    with SqliteStore(tmp_path) as store:
        store.put("c", "before", {"n": 1})
        with (
            files_that_cannot_grow(Path(f"{store.path}-wal")),
            pytest.raises(StorageError),
            store.batch(),
        ):
            store.put("c", "lost", {"text": "x" * 50_000})
        with store.batch():
            store.put("c", "after", {"n": 2})
    with SqliteStore(tmp_path) as store:
        assert list(store.records("c")) == ["after", "before"]
