import os

import pytest

from harness.logs import LogsDropped
from harness.logs.index import HEADER_BYTES, MARK, MAX_MARKS
from harness.logs.keeper import StreamKeeper
from tests.unit.logs.scene import Scene, collected, text_of


def _lines(first: int, last: int) -> bytes:
    return b"".join(b"line %07d\n" % number for number in range(first, last))


def test_files_are_created_for_the_user_alone(tmp_path):
    scene = Scene(tmp_path / "run" / "db")
    assert scene.log.streams["stdout"].path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "run" / "db").stat().st_mode & 0o777 == 0o700


async def test_a_stream_over_its_cap_loses_its_oldest_whole_lines(tmp_path):
    scene = Scene(tmp_path, max_bytes=400_000)
    scene.write(_lines(0, 50_000))
    keeper = scene.keepers["stdout"]
    notice = keeper.trim()
    text = await text_of(scene.log.read())
    assert notice == LogsDropped(
        directory=scene.log.directory,
        unit="db",
        stream="stdout",
        size_bytes=650_000 - len(text),
        cause="cap",
    )
    assert text == _lines(50_000 - len(text) // 13, 50_000)
    assert 290_000 < len(text) <= 300_000
    path = scene.log.streams["stdout"].path
    assert path.stat().st_size == 650_000
    assert path.stat().st_blocks * 512 <= 320_000
    assert keeper.trim() is None


def test_a_stream_that_is_cut_again_and_again_stays_within_its_cap(tmp_path):
    scene = Scene(tmp_path, max_bytes=400_000)
    path = scene.log.streams["stdout"].path
    for number in range(10):
        scene.write(_lines(number * 10_000, (number + 1) * 10_000))
        scene.keepers["stdout"].trim()
        assert path.stat().st_blocks * 512 <= 400_000 + 2 * 64 * 1024


async def test_zeros_of_a_hole_are_never_shown_and_those_of_a_service_are(tmp_path):
    scene = Scene(tmp_path, max_bytes=100_000)
    line = b"\0a\0\0b\0\n"
    scene.write(line * 30_000)
    scene.keepers["stdout"].trim()
    text = await text_of(scene.log.read())
    assert text == line * (len(text) // len(line))
    assert 0 < len(text) < 100_000


async def test_a_lost_index_is_rebuilt_from_the_hole(tmp_path):
    scene = Scene(tmp_path, max_bytes=100_000)
    scene.write(_lines(0, 50_000))
    scene.keepers["stdout"].trim()
    kept = await text_of(scene.log.read())
    scene.log.streams["stdout"].index_path.unlink()
    assert await text_of(scene.log.read()) == kept
    fresh = StreamKeeper(scene.log.streams["stdout"], max_bytes=100_000)
    fresh.observe()
    assert fresh.kept_bytes == len(kept)
    assert await text_of(scene.log.read()) == kept


async def test_a_torn_index_is_mended(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"one\n")
    index = scene.log.streams["stdout"].index_path
    with index.open("ab") as file:
        file.write(b"torn")
    StreamKeeper(scene.log.streams["stdout"], max_bytes=1 << 30).observe()
    scene.write(b"two\n", after_s=60)
    assert index.stat().st_size == HEADER_BYTES + 2 * MARK.size
    chunks = await collected(scene.log.read())
    assert [(c.text, (c.at - chunks[0].at).total_seconds()) for c in chunks] == [
        (b"one\n", 0),
        (b"two\n", 60),
    ]


async def test_bytes_written_while_nobody_watched_get_the_time_of_the_last_write(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"watched\n")
    scene.append(b"missed 1\nmissed 2\n")
    written = scene.clock.now().timestamp() + 100
    os.utime(scene.log.streams["stdout"].path, (written, written))
    scene.clock.advance(5_000)
    StreamKeeper(scene.log.streams["stdout"], max_bytes=1 << 30).observe()
    scene.write(b"watched again\n", after_s=1)
    chunks = await collected(scene.log.read())
    assert [(c.text, (c.at - chunks[0].at).total_seconds()) for c in chunks] == [
        (b"watched\n", 0),
        (b"missed 1\nmissed 2\n", 100),
        (b"watched again\n", 5_001),
    ]


async def test_marks_of_a_log_that_was_cut_while_nobody_watched_are_forgotten(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"one\n")
    scene.write(b"two\n", after_s=10)
    os.truncate(scene.log.streams["stdout"].path, 4)
    fresh = StreamKeeper(scene.log.streams["stdout"], max_bytes=1 << 30)
    fresh.observe()
    scene.keepers["stdout"] = fresh
    scene.write(b"new\n", after_s=50)
    chunks = await collected(scene.log.read())
    assert [(c.text, (c.at - chunks[0].at).total_seconds()) for c in chunks] == [
        (b"one\n", 0),
        (b"new\n", 60),
    ]


def test_the_index_stays_small(tmp_path):
    scene = Scene(tmp_path)
    for _ in range(MAX_MARKS + 100):
        scene.write(b"x\n", after_s=1)
    size = scene.log.streams["stdout"].index_path.stat().st_size
    assert size <= HEADER_BYTES + MARK.size * (MAX_MARKS // 2 + 101)


def test_a_deleted_log_is_given_up(tmp_path):
    scene = Scene(tmp_path)
    scene.log.streams["stdout"].path.unlink()
    assert scene.keepers["stdout"].observe() == (False, None)
    assert scene.keepers["stdout"].is_gone


def test_the_index_is_made_with_the_first_output_and_marks_it(tmp_path):
    scene = Scene(tmp_path)
    index = scene.log.streams["stdout"].index_path
    assert not index.exists()
    scene.append(b"one\n")
    assert scene.keepers["stdout"].observe() == (True, None)
    assert index.stat().st_size == HEADER_BYTES + MARK.size


def test_an_index_that_cannot_be_written_is_reported_and_made_later(tmp_path):
    scene = Scene(tmp_path)
    index = scene.log.streams["stdout"].index_path
    index.mkdir()
    scene.append(b"one\n")
    has_changed, trouble = scene.keepers["stdout"].observe()
    assert has_changed
    assert isinstance(trouble, OSError)
    index.rmdir()
    scene.append(b"two\n")
    assert scene.keepers["stdout"].observe() == (True, None)
    assert index.stat().st_size == HEADER_BYTES + MARK.size


@pytest.mark.parametrize("line", [b"x" * 900_000 + b"\n", b"y" * 3_000_000])
def test_dropping_ends_inside_a_line_only_when_it_is_too_long_to_find_its_end(tmp_path, line):
    scene = Scene(tmp_path, max_bytes=100_000)
    scene.write(line)
    keeper = scene.keepers["stdout"]
    keeper.trim()
    assert keeper.kept_bytes == (0 if line.endswith(b"\n") else 75_000)
