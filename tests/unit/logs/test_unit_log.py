from datetime import timedelta

import anyio
import pytest

from harness.logs import STREAMS, LineReader, UnitLog, merge
from harness.patterns import compile_pattern
from tests.fakes.clock import FakeClock
from tests.unit.logs.scene import Scene, collected, text_of


async def test_a_log_that_does_not_exist_is_empty(tmp_path):
    log = UnitLog(tmp_path / "none", unit="db", max_bytes=1, clock=FakeClock())
    assert await collected(log.read()) == []
    assert await collected(log.read(tail=5)) == []
    assert log.last_lines(5) == []
    assert await log.offsets() == {"stdout": 0, "stderr": 0}


async def test_bytes_come_back_as_they_were_written(tmp_path):
    scene = Scene(tmp_path)
    data = b"plain\n\n\xff\xfe not utf-8\r\n\0\0nul\nlast without newline"
    scene.write(data)
    assert await text_of(scene.log.read()) == data


async def test_streams_are_merged_by_time_and_named(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"out 1\n")
    scene.write(b"err 1\n", "stderr", after_s=1)
    scene.write(b"out 2\nout 3\n", after_s=1)
    scene.write(b"err 2\n", "stderr", after_s=1)
    chunks = await collected(scene.log.read())
    assert [(c.stream, c.text) for c in chunks] == [
        ("stdout", b"out 1\n"),
        ("stderr", b"err 1\n"),
        ("stdout", b"out 2\nout 3\n"),
        ("stderr", b"err 2\n"),
    ]
    assert [(c.at - chunks[0].at).total_seconds() for c in chunks] == [0, 1, 2, 3]
    assert await text_of(scene.log.read(streams=["stderr"])) == b"err 1\nerr 2\n"


async def test_several_units_are_merged_by_time(tmp_path):
    one, two = Scene(tmp_path / "1", unit="one"), Scene(tmp_path / "2", unit="two")
    for number in range(3):
        one.write(b"1.%d\n" % number, after_s=3)
        two.write(b"2.%d\n" % number, after_s=4)
    chunks = await collected(merge([one.log, two.log]))
    assert [(c.unit, c.text) for c in chunks] == [
        ("one", b"1.0\n"),
        ("two", b"2.0\n"),
        ("one", b"1.1\n"),
        ("two", b"2.1\n"),
        ("one", b"1.2\n"),
        ("two", b"2.2\n"),
    ]


async def test_a_line_has_the_time_of_its_end(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"first\nbegun ")
    scene.write(b"and ended\nlast\n", after_s=7)
    chunks = await collected(scene.log.read())
    assert [(c.text, (c.at - chunks[0].at).total_seconds()) for c in chunks] == [
        (b"first\n", 0),
        (b"begun and ended\nlast\n", 7),
    ]


async def test_a_clock_that_goes_back_disturbs_no_order_within_a_stream(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"1\n", after_s=100)
    scene.write(b"2\n", after_s=-50)
    scene.write(b"3\n", after_s=10)
    chunks = await collected(scene.log.read())
    assert b"".join(c.text for c in chunks) == b"1\n2\n3\n"
    assert [(c.at - chunks[0].at).total_seconds() for c in chunks] == [0, -50, -40]


@pytest.mark.parametrize("tail", [0, 1, 2, 3, 5, 6, 100])
async def test_tail_counts_lines_over_both_streams(tmp_path, tail):
    scene = Scene(tmp_path)
    lines = []
    for number in range(6):
        line = b"line %d\n" % number
        lines.append(line)
        scene.write(line, STREAMS[number % 2], after_s=1)
    assert await text_of(scene.log.read(tail=tail)) == b"".join(lines[6 - min(tail, 6) :])


@pytest.mark.parametrize("tail", [1, 2, 5_000, 29_999, 40_000])
async def test_tail_of_one_stream_is_exact_over_many_blocks(tmp_path, tail):
    scene = Scene(tmp_path)
    lines = [b"%d %s\n" % (n, b"z" * (n % 50)) for n in range(30_000)]
    scene.write(b"".join(lines))
    assert await text_of(scene.log.read(tail=tail, streams=["stdout"])) == b"".join(lines[-tail:])


async def test_tail_counts_an_unfinished_last_line(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"a\nb\nunfinished")
    assert await text_of(scene.log.read(tail=2)) == b"b\nunfinished"
    assert await text_of(scene.log.read(tail=2, streams=["stdout"])) == b"b\nunfinished"


async def test_since_and_until_cut_by_time(tmp_path):
    scene = Scene(tmp_path)
    start = scene.clock.now()
    for number in range(10):
        scene.write(b"%d\n" % number, STREAMS[number % 2], after_s=1)

    def at(second: float):
        return start + timedelta(seconds=second)

    assert await text_of(scene.log.read(since=at(8))) == b"7\n8\n9\n"
    assert await text_of(scene.log.read(until=at(2.5))) == b"0\n1\n"
    assert await text_of(scene.log.read(since=at(4), until=at(6))) == b"3\n4\n5\n"
    assert await text_of(scene.log.read(until=at(6), tail=2)) == b"4\n5\n"
    assert await text_of(scene.log.read(since=at(99))) == b""
    assert await text_of(scene.log.read(until=at(0))) == b""


async def test_until_does_not_show_a_line_that_ended_later(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"whole\nbegun ", after_s=1)
    until = scene.clock.now()
    scene.write(b"ended\n", after_s=1)
    assert await text_of(scene.log.read(until=until)) == b"whole\n"
    assert await text_of(scene.log.read(until=until, tail=1)) == b"whole\n"


async def test_grep_takes_the_lines_a_pattern_is_found_in(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"".join(b"line %d\n" % number for number in range(100_000)))
    pattern = compile_pattern(r"77\d\d$")
    found = await text_of(scene.log.read(grep=pattern))
    assert found.splitlines() == [
        b"line %d" % number for number in range(100_000) if number % 10_000 // 100 == 77
    ]
    assert (await text_of(scene.log.read(grep=pattern, tail=3))).splitlines() == [
        b"line 97797",
        b"line 97798",
        b"line 97799",
    ]


async def test_grep_sees_the_first_mib_of_a_line_and_shows_all_of_it(tmp_path):
    scene = Scene(tmp_path)
    long = b"needle" + b"x" * 3_000_000
    hidden = b"y" * 1_100_000 + b"needle"
    scene.write(b"before\n" + long + b"\n" + hidden + b"\nneedle after\n")
    chunks = await collected(scene.log.read(grep=compile_pattern(r"needle")))
    assert b"".join(c.text for c in chunks) == long + b"\nneedle after\n"
    assert max(len(c.text) for c in chunks) <= 256 * 1024


async def test_a_very_long_line_comes_in_pieces(tmp_path):
    scene = Scene(tmp_path)
    data = b"short\n" + b"x" * 2_000_000 + b"\nend\n"
    scene.write(data)
    chunks = await collected(scene.log.read())
    assert b"".join(c.text for c in chunks) == data
    assert max(len(c.text) for c in chunks) <= 256 * 1024


async def test_last_lines_are_text_of_both_streams_by_time(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"one\r\ntwo\n")
    scene.write(b"bad \xff byte\n", "stderr", after_s=1)
    scene.write(b"\nunfinished", after_s=1)
    assert scene.log.last_lines(4) == ["two", "bad � byte", "", "unfinished"]
    assert scene.log.last_lines(100)[0] == "one"
    assert scene.log.last_lines(0) == []


async def test_last_lines_of_an_endless_line_look_at_its_end_only(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"x" * 2_000_000 + b"END")
    (line,) = scene.log.last_lines(3)
    assert line.endswith("xEND")
    assert len(line) <= 256 * 1024


async def test_following_resumes_at_the_end_of_the_last_chunk(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"1\n2\n")
    scene.write(b"e\n", "stderr", after_s=1)
    seen: dict[str, int] = {}
    with anyio.fail_after(5):
        reader = scene.log.follow()
        first = [await anext(reader), await anext(reader)]
        seen = {chunk.stream: chunk.end for chunk in first}
        scene.write(b"3\n", after_s=1)
        again = await anext(scene.log.follow(offsets=seen))
    assert again.text == b"3\n"


async def test_a_clock_that_goes_back_hides_nothing_from_a_follower(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"old\n", after_s=100)
    scene.write(b"1\n", after_s=100)
    reader = scene.log.follow(since=scene.clock.now())
    with anyio.fail_after(5):
        assert (await anext(reader)).text == b"1\n"
        scene.write(b"2\n", after_s=-150)
        assert (await anext(reader)).text == b"2\n"


async def test_a_reader_that_knows_its_place_misses_nothing_written_after(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"old\n", after_s=100)
    reader = scene.log.follow(tail=0)
    await reader.locate()
    scene.write(b"new\n", after_s=-50)
    with anyio.fail_after(5):
        assert (await anext(reader)).text == b"new\n"


@pytest.mark.parametrize("is_waiting", [False, True])
async def test_a_follower_that_is_to_finish_ends_with_all_that_is_there(tmp_path, is_waiting):
    scene = Scene(tmp_path)
    scene.write(b"1\n")
    reader = scene.log.follow()
    got = []
    with anyio.fail_after(5):
        assert (await anext(reader)).text == b"1\n"
        scene.append(b"2\nlast words")
        async with anyio.create_task_group() as tasks:

            async def read() -> None:
                got.append(await text_of(reader))

            tasks.start_soon(read)
            if is_waiting:
                await anyio.wait_all_tasks_blocked()
            reader.finish()
    assert got == [b"2\nlast words"]


async def test_offsets_of_a_log_cleared_since_start_over(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"new\n")
    with anyio.fail_after(5):
        chunk = await anext(scene.log.follow(offsets={"stdout": 99}))
    assert chunk.text == b"new\n"


async def test_a_search_that_backtracking_never_ends_ends(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"a" * 500_000 + b"!\n" + b"aaa\n" + b"a" * 2_000_000 + b"!\nlast\n")
    reader = scene.log.read(grep=compile_pattern(r"^(a+)+$|last"))
    assert (await text_of(reader)).endswith(b"aaa\n" + b"a" * 2_000_000 + b"!\nlast\n")


async def test_what_was_dropped_is_no_unfinished_line_of_the_tail(tmp_path):
    scene = Scene(tmp_path, max_bytes=4_000)
    scene.write(b"wanted 1\nwanted 2\n", "stderr")
    scene.write(b"0123456\n" * 1_000, after_s=1)
    reader = scene.log.read(tail=2, grep=compile_pattern(r"wanted"))
    await reader.locate()
    scene.keepers["stdout"].trim()
    assert await text_of(reader) == b"wanted 1\nwanted 2\n"


async def test_single_lines_are_not_joined_over_what_was_dropped(tmp_path):
    scene = Scene(tmp_path, max_bytes=100_000)
    scene.write(b"first\nbegun")
    lines = scene.log.follow(unfinished=True)
    with anyio.fail_after(5):
        reader = LineReader(lines)
        assert await anext(reader) == ("stdout", b"first")
        with anyio.move_on_after(0.05):
            await anext(reader)
        scene.write(b"x" * 200_000 + b"\n" + b"0123456\n" * 20_000)
        scene.keepers["stdout"].trim()
        scene.log.streams["stdout"].announce()
        assert await anext(reader) == ("stdout", b"begun")
        assert await anext(reader) == ("stdout", b"0123456")


async def test_a_follower_that_fell_behind_the_cap_is_told_how_much_it_missed(tmp_path):
    scene = Scene(tmp_path, max_bytes=100_000)
    scene.write(b"0123456789abcde\n" * 20_000)
    scene.keepers["stdout"].trim()
    with anyio.fail_after(5):
        reader = scene.log.follow(offsets={"stdout": 16})
        chunks = [await anext(reader)]
        while chunks[-1].end < 320_000:
            chunks.append(await anext(reader))
    assert [chunk.skipped for chunk in chunks] == [244_992] + [0] * (len(chunks) - 1)
    assert b"".join(c.text for c in chunks) == b"0123456789abcde\n" * 4_687


async def test_clearing_drops_all_and_counts_from_zero(tmp_path):
    scene = Scene(tmp_path)
    scene.write(b"old\n")
    await scene.log.clear()
    assert await collected(scene.log.read()) == []
    scene.write(b"new\n", after_s=1)
    chunks = await collected(scene.log.read())
    assert [(c.text, c.end) for c in chunks] == [(b"new\n", 4)]
