import pytest

from harness.logs.pace import LONGEST_WAIT_S, SHORTEST_WAIT_S, Pace

MIB = 1024 * 1024


def _pace(*sizes: int, every_s: float = 0.01) -> Pace:
    pace = Pace()
    for number, size in enumerate(sizes):
        pace.note(100 + number * every_s, size)
    return pace


def test_a_stream_that_cannot_use_its_room_up_is_left_alone_for_long():
    assert _pace(0).wait_s(MIB) == LONGEST_WAIT_S
    assert _pace(0, MIB).wait_s(64 * MIB) == LONGEST_WAIT_S


def test_a_stream_is_looked_at_before_it_has_used_its_room_up():
    pace = _pace(0, 10 * MIB)  # 1000 MiB/s
    assert pace.wait_s(20 * MIB) == pytest.approx(0.02)


def test_no_wait_is_shorter_than_the_shortest_even_without_any_room():
    pace = _pace(0, 10 * MIB)
    assert pace.wait_s(0) == pace.wait_s(-64 * MIB) == SHORTEST_WAIT_S


def test_a_stream_over_its_cap_that_does_not_grow_is_left_alone():
    assert _pace(5, 5).wait_s(-1) == LONGEST_WAIT_S


def test_growth_is_believed_at_once_and_its_end_by_halves():
    assert _pace(0, 0, 1_000).bytes_per_s == pytest.approx(100_000)
    assert _pace(0, 1_000, 1_000).bytes_per_s == pytest.approx(50_000)
    assert _pace(0, 1_000, 1_000, 1_000).bytes_per_s == pytest.approx(25_000)


def test_a_log_that_was_emptied_is_not_growing():
    assert _pace(0, 1_000, 0).bytes_per_s == pytest.approx(50_000)


def test_a_second_size_in_hardly_any_time_changes_nothing():
    pace = _pace(0, 1_000)
    pace.note(100.01, 5_000)
    pace.note(100.011, 1_000)
    assert pace.bytes_per_s == pytest.approx(100_000)
    pace.note(100.02, 2_000)
    assert pace.bytes_per_s == pytest.approx(100_000)


def test_what_was_seen_before_a_quiet_time_is_forgotten():
    pace = _pace(0, 1_000, 2_000)
    pace.forget()
    pace.note(200, 5_000)
    assert pace.bytes_per_s == 0
