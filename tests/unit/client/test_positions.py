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
