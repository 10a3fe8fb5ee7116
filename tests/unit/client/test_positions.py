"""Where output goes on after a connection was cut."""

from __future__ import annotations

from typing import Any

from harness.client.positions import LogPosition


def chunk(text: str, end: int | None, stream: str = "stdout") -> tuple[str, dict[str, Any]]:
    return "logs.chunk", {"unit": "db", "stream": stream, "text": text, "end": end}


def test_output_goes_on_after_the_last_whole_chunk() -> None:
    position = LogPosition({"project": "shop", "tail": 3})
    assert position.params() == {"project": "shop", "tail": 3, "positions": True, "offsets": {}}
    first = chunk("a\n", 7)
    assert position.take(*first) == first
    assert position.params()["offsets"] == {"db": {"stdout": 7}}


def test_what_was_live_goes_on_from_there_although_nothing_came() -> None:
    position = LogPosition({})
    position.take(*chunk("a\n", 7))
    live = {"offsets": {"db": {"stdout": 5, "stderr": 3}, "web": {"stdout": 0}}}
    assert position.take("logs.position", live) is None
    assert position.params()["offsets"] == {"db": {"stdout": 7, "stderr": 3}, "web": {"stdout": 0}}


def test_pieces_of_a_chunk_that_was_cut_off_come_once() -> None:
    position = LogPosition({})
    position.take(*chunk("one\n", None))
    position.take(*chunk("tw\udc80\n", None))
    position.take(*chunk("other\n", None, "stderr"))
    assert position.params()["offsets"] == {}
    assert _new(position, chunk("one\n", None)) == ""
    assert position.params()["offsets"] == {}
    assert _new(position, chunk("on", None)) == ""
    assert _new(position, chunk("e\ntw\udc80\nthree\n", None)) == "three\n"
    assert _new(position, chunk("four\n", 30)) == "four\n"
    assert position.params()["offsets"] == {"db": {"stdout": 30}}
    assert _new(position, chunk("other\nrest\n", 11, "stderr")) == "rest\n"
    assert _new(position, chunk("more\n", 16, "stderr")) == "more\n"


def _new(position: LogPosition, sent: tuple[str, dict[str, Any]]) -> str:
    item = position.take(*sent)
    assert item is not None
    return str(item[1]["text"])


def test_a_chunk_of_which_more_was_seen_before_moves_nothing_back() -> None:
    position = LogPosition({"project": "shop"})
    position.take("logs.position", {"offsets": {"db": {"stdout": 9}}})
    position.take("logs.position", {"offsets": {"db": {"stdout": 4}}})
    assert position.params()["offsets"] == {"db": {"stdout": 9}}


def test_a_chunk_that_is_cut_off_twice_comes_once() -> None:
    def piece(text: str, end: int | None = None) -> dict[str, Any]:
        return {"unit": "db", "stream": "stdout", "text": text, "end": end}

    position = LogPosition({"project": "shop"})
    seen = []
    for pieces in (["ab", "cd"], ["ab"], ["ab", "cd", "ef"]):
        position.params()  # another connection
        last = len(pieces) == 3
        for index, text in enumerate(pieces):
            end = 6 if last and index == 2 else None
            item = position.take("logs.chunk", piece(text, end))
            assert item is not None
            seen.append(item[1]["text"])
    assert "".join(seen) == "abcdef"
    assert position.params()["offsets"] == {"db": {"stdout": 6}}


def test_of_a_chunk_that_begins_later_than_what_was_seen_all_is_new() -> None:
    position = LogPosition({})
    position.take(*chunk("one\ntwo\n", None))
    position.params()  # another connection; the first 12 bytes were dropped meanwhile
    method, lost = chunk("four\nfi", None)
    assert _new(position, (method, {**lost, "skipped": 12})) == "four\nfi"
    assert _new(position, chunk("ve\n", 22)) == "ve\n"
    assert position.params()["offsets"] == {"db": {"stdout": 22}}


def test_what_was_seen_of_a_chunk_whose_beginning_was_dropped_is_left_out() -> None:
    position = LogPosition({})
    position.take(*chunk("one\ntwo\n", None))
    position.params()
    method, lost = chunk("two\nthree\n", 14)
    assert _new(position, (method, {**lost, "skipped": 4})) == "three\n"


def test_what_was_seen_is_left_out_although_the_chunk_is_a_shorter_one_now() -> None:
    position = LogPosition({})
    position.take(*chunk("one\ntwo\n", None))
    position.params()
    assert _new(position, chunk("one\n", 4)) == ""
    assert _new(position, chunk("two\nthree\n", 14)) == "three\n"
    assert position.params()["offsets"] == {"db": {"stdout": 14}}
