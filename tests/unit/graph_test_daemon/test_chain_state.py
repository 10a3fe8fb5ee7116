"""What the next run of a chain goes on with, whatever the last one left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graph_test_daemon.launch.chain_state import state_arguments

WHOLE = json.dumps({"blocks": [{"header": {"number": number}} for number in ("0x1", "0x0")]})
FORK = json.dumps({"blocks": [{"header": {"number": "0x6"}}]})


def loaded(directory: Path) -> tuple[str | None, str | None]:
    """Begin a run; return the state that it goes on with, and what is told."""
    words, note = state_arguments(directory)
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given["--dump-state"] == str(directory / "chain-at-end.json")
    path = given.get("--load-state")
    return None if path is None else Path(path).read_text(), note


def ends(directory: Path, text: str) -> None:
    (directory / "chain-at-end.json").write_text(text)


def test_it_goes_on_with_what_the_last_run_wrote(tmp_path: Path) -> None:
    directory = tmp_path / "not" / "there"
    assert loaded(directory) == (None, None)
    ends(directory, WHOLE)
    assert loaded(directory) == (WHOLE, None)
    newer = WHOLE + " "
    ends(directory, newer)
    assert loaded(directory) == (newer, None)
    assert not (directory / "chain-at-end.json").exists()


@pytest.mark.parametrize("left", [None, "", WHOLE[:-1], "[]", "null", '{"blocks": 1}'])
def test_of_a_run_that_was_killed_it_goes_on_from_its_beginning(
    tmp_path: Path, left: str | None
) -> None:
    loaded(tmp_path)
    ends(tmp_path, WHOLE)
    loaded(tmp_path)
    if left is not None:
        ends(tmp_path, left)
    told = "the last run did not end in order: the chain goes on from where that run began"
    assert loaded(tmp_path) == (WHOLE, told)


def test_without_any_run_that_ended_it_begins_anew_and_says_so(tmp_path: Path) -> None:
    loaded(tmp_path)
    assert loaded(tmp_path) == (
        None,
        "the last run did not end in order: the chain begins anew",
    )


def test_a_fork_is_left_behind(tmp_path: Path) -> None:
    loaded(tmp_path)
    ends(tmp_path, WHOLE)
    loaded(tmp_path)
    ends(tmp_path, FORK)
    told = "the chain had become a fork of another one: it begins anew"
    assert loaded(tmp_path) == (None, told)
    assert [path.name for path in tmp_path.iterdir()] == ["chain-was-run"]
