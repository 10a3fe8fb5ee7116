import os

import anyio

from harness.logs.kernel import Inotify, first_data, punch_hole


def test_a_hole_frees_blocks_and_keeps_size_and_the_rest(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"a" * 200_000 + b"b" * 10)
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
        before = os.fstat(descriptor).st_blocks
        punch_hole(descriptor, 0, 200_000)
        assert os.fstat(descriptor).st_size == 200_010
        assert os.fstat(descriptor).st_blocks < before
        assert os.pread(descriptor, 10, 200_000) == b"b" * 10
        assert 0 < first_data(descriptor) <= 200_000
    finally:
        os.close(descriptor)


def test_first_data_of_a_file_without_hole_is_its_start(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"x")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert first_data(descriptor) == 0
    finally:
        os.close(descriptor)


async def test_a_watch_fires_once_until_it_is_armed_again(tmp_path):
    path = tmp_path / "log"
    path.touch()
    inotify = Inotify()
    try:
        number = inotify.arm(path)
        path.write_bytes(b"one")
        with anyio.fail_after(5):
            await anyio.wait_readable(inotify.descriptor)
        assert inotify.fired() == [number]
        path.write_bytes(b"two")
        assert inotify.fired() == []
        again = inotify.arm(path)
        path.write_bytes(b"three")
        assert inotify.fired() == [again]
    finally:
        inotify.close()


async def test_a_watch_for_moves_fires_when_a_file_that_is_open_is_removed(tmp_path):
    path = tmp_path / "log"
    inotify = Inotify()
    try:
        with path.open("w"):
            number = inotify.arm(path, moves=True)
            path.unlink()
            with anyio.fail_after(5):
                await anyio.wait_readable(inotify.descriptor)
            assert inotify.fired() == [number]
    finally:
        inotify.close()


async def test_a_watch_of_a_directory_fires_when_a_file_appears_in_it(tmp_path):
    inotify = Inotify()
    try:
        for appear in ((tmp_path / "a").touch, lambda: (tmp_path / "a").rename(tmp_path / "b")):
            number = inotify.arm_directory(tmp_path)
            appear()
            with anyio.fail_after(5):
                await anyio.wait_readable(inotify.descriptor)
            assert inotify.fired() == [number]
    finally:
        inotify.close()
