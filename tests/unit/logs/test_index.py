from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from harness.logs.index import HEADER_BYTES, MARK, MAX_MARKS, Marks, thinned, write_index


def _written(path: Path, marks: list[tuple[int, int]], *, start: int = 0) -> Marks:
    write_index(path, start=start, epoch=1, marks=marks)
    view = Marks(path=path)
    view.refresh()
    return view


def test_marks_are_read_back_and_read_on(tmp_path):
    path = tmp_path / "stdout.idx"
    view = _written(path, [(10, 1_000), (20, 2_000)], start=5)
    with path.open("ab") as file:
        file.write(MARK.pack(30, 3_000))
    view.refresh()
    assert (view.start, list(view.offsets), list(view.times)) == (
        5,
        [10, 20, 30],
        [1_000, 2_000, 3_000],
    )


def test_a_rewritten_index_is_read_anew(tmp_path):
    path = tmp_path / "stdout.idx"
    view = _written(path, [(10, 1_000), (20, 2_000)])
    write_index(path, start=15, epoch=2, marks=[(20, 2_000), (25, 2_500), (30, 3_000)])
    view.refresh()
    assert (view.start, list(view.offsets)) == (15, [20, 25, 30])


def test_a_torn_mark_is_ignored(tmp_path):
    path = tmp_path / "stdout.idx"
    _written(path, [(10, 1_000)])
    with path.open("ab") as file:
        file.write(MARK.pack(20, 2_000)[:7])
    view = Marks(path=path)
    view.refresh()
    assert list(view.offsets) == [10]
    assert not view.is_whole


def test_zeros_left_by_a_power_cut_end_the_marks(tmp_path):
    path = tmp_path / "stdout.idx"
    _written(path, [(10, 1_000)])
    with path.open("ab") as file:
        file.write(bytes(4 * MARK.size) + MARK.pack(90, 9_000))
    view = Marks(path=path)
    view.refresh()
    assert list(view.offsets) == [10]
    assert not view.is_whole


@given(st.integers(0, HEADER_BYTES - 5), st.integers(1, 255))
def test_a_damaged_header_is_never_believed(tmp_path_factory, position, flip):
    path = tmp_path_factory.mktemp("index") / "stdout.idx"
    _written(path, [(10, 1_000)], start=5)
    data = bytearray(path.read_bytes())
    data[position] ^= flip
    path.write_bytes(data)
    view = Marks(path=path)
    view.refresh()
    assert view.start is None
    assert not view.offsets


def test_no_index_means_an_unknown_start(tmp_path):
    view = Marks(path=tmp_path / "stdout.idx")
    view.refresh()
    assert view.start is None


@given(st.integers(0, 2**32))
def test_thinning_bounds_the_marks_and_keeps_the_newest(seed):
    marks = [(n * 10 + 1, (n * seed) % 10**13) for n in range(MAX_MARKS)]
    result = thinned(marks)
    assert len(result) <= MAX_MARKS // 2
    assert result[-1_024:] == marks[-1_024:]
    assert result == sorted(result)


def test_a_span_of_time_is_found_though_the_clock_went_back(tmp_path):
    view = _written(tmp_path / "stdout.idx", [(10, 5_000), (20, 2_000), (30, 3_000), (40, 6_000)])
    assert view.first_since(2_500) == 0
    assert view.first_since(5_500) == 30
    assert view.last_until(2_500) == 20
    assert view.last_until(3_500) == 30
    assert view.first_since(9_000) == 40
    assert view.last_until(1_000) == 0
