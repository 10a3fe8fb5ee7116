from __future__ import annotations

import fcntl
import os

import pytest

from harness.daemon.start_lock import StartLock
from harness.errors import StorageError
from harness.protocol import Endpoint


def _is_free(endpoint: Endpoint) -> bool:
    descriptor = os.open(endpoint.start_lock_path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def test_it_is_held_while_a_daemon_starts_and_again_while_it_ends(tmp_path):
    endpoint = Endpoint(tmp_path / "state")
    lock = StartLock(endpoint)
    with lock:
        assert not _is_free(endpoint)
        lock.release()
        assert _is_free(endpoint)
        lock.hold()
    # Until the process is gone, which here only releasing stands for.
    assert not _is_free(endpoint)
    lock.release()
    assert _is_free(endpoint)


def test_a_start_that_fails_gives_it_back(tmp_path):
    endpoint = Endpoint(tmp_path)
    with pytest.raises(KeyError), StartLock(endpoint):
        raise KeyError
    assert _is_free(endpoint)


def test_it_is_not_waited_for(tmp_path):
    endpoint = Endpoint(tmp_path)
    with StartLock(endpoint) as first, StartLock(endpoint) as second:
        assert not _is_free(endpoint)
        second.release()
        first.release()


def test_a_directory_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file"), StartLock(Endpoint(tmp_path / "file")):
        pass
