import re

import pytest

from harness.logs.kernel import punch_hole
from harness.logs.pieces import Selection, StreamReader
from harness.patterns import compile_pattern
from tests.unit.logs.scene import Scene


def _reader(scene: Scene, selection: Selection | None = None, *, block_bytes: int = 64):
    return StreamReader(
        scene.log.streams["stdout"],
        offset=0,
        selection=selection or Selection(),
        block_bytes=block_bytes,
    )


def _all(reader: StreamReader, *, unfinished: bool = True) -> bytes:
    text, has_more = b"", True
    while has_more:
        chunks, has_more = reader.step(end=None, unfinished=unfinished)
        text += b"".join(chunk.text for chunk in chunks)
    return text


@pytest.mark.parametrize("block_bytes", [1, 2, 7, 64, 4096])
def test_any_block_size_gives_the_same_bytes(tmp_path, block_bytes):
    scene = Scene(tmp_path)
    data = b"".join(b"%s\n" % (b"x" * (n % 100)) for n in range(150)) + b"rest"
    for position in range(0, len(data), 333):
        scene.write(data[position : position + 333], after_s=1)
    assert _all(_reader(scene, block_bytes=block_bytes)) == data


@pytest.mark.parametrize("block_bytes", [16, 64, 4096])
def test_any_block_size_greps_the_same_lines(tmp_path, block_bytes):
    scene = Scene(tmp_path)
    lines = [b"%d%s\n" % (n, b"y" * (n % 90)) for n in range(200)]
    scene.write(b"".join(lines) + b"77 rest")
    selection = Selection(grep=compile_pattern(r"^\d*7"))
    expected = b"".join(line for line in lines if re.match(rb"^\d*7", line)) + b"77 rest"
    assert _all(_reader(scene, selection, block_bytes=block_bytes)) == expected


def test_what_is_dropped_under_a_reader_is_counted_and_reading_goes_on(tmp_path):
    scene = Scene(tmp_path, max_bytes=4_000)
    scene.write(b"0123456\n" * 1_000)
    reader = _reader(scene, block_bytes=800)
    first, _ = reader.step(end=None, unfinished=False)
    scene.keepers["stdout"].trim()
    second, has_more = reader.step(end=None, unfinished=False)
    assert has_more
    assert second[0].skipped == 8_000 - 3_000 - first[-1].end
    assert second[0].text == b"0123456\n" * 100


def test_a_hole_punched_after_the_start_moved_is_not_read(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"0123456\n" * 1_000)
    reader = _reader(scene, block_bytes=4_000)
    keeper = scene.keepers["stdout"]
    keeper._write_start(1_600)
    stream = scene.log.streams["stdout"]
    with stream.path.open("r+b") as file:
        punch_hole(file.fileno(), 0, 1_600)
    assert _all(reader) == b"0123456\n" * 800


def test_a_line_begun_is_kept_back_until_it_ends(tmp_path):
    scene = Scene(tmp_path)
    reader = _reader(scene)
    scene.write(b"begun")
    assert reader.step(end=None, unfinished=False) == ([], False)
    scene.write(b" ended\n", after_s=1)
    chunks, _ = reader.step(end=None, unfinished=False)
    assert [chunk.text for chunk in chunks] == [b"begun ended\n"]


def test_a_loss_is_as_old_as_what_was_last_read_and_not_as_the_look_at_it(tmp_path):
    scene = Scene(tmp_path, max_bytes=4_000)
    scene.write(b"0123456\n" * 1_000, after_s=1)
    written_at = scene.clock.now()
    reader = _reader(scene, Selection(grep=compile_pattern(r"wanted")), block_bytes=800)
    scene.write(b"newer\n" * 200, after_s=100)
    scene.keepers["stdout"].trim()
    (loss,), _ = reader.step(end=None, unfinished=False)
    assert (loss.text, loss.skipped, loss.at) == (b"", 6_200, written_at)


def test_a_loss_is_told_although_no_line_after_it_is_wanted(tmp_path):
    scene = Scene(tmp_path, max_bytes=4_000)
    scene.write(b"wanted\n" + b"0123456\n" * 1_000)
    reader = _reader(scene, Selection(grep=compile_pattern(r"wanted")), block_bytes=800)
    first, _ = reader.step(end=None, unfinished=False)
    scene.keepers["stdout"].trim()
    second, _ = reader.step(end=None, unfinished=False)
    third, _ = reader.step(end=None, unfinished=False)
    assert [chunk.text for chunk in first + second + third] == [b"wanted\n", b""]
    assert second[0].skipped == 5_007 - (7 + 99 * 8)  # from the last line read to the first kept
