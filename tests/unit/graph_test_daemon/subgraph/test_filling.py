from __future__ import annotations

from pathlib import Path

import pytest

from graph_test_daemon.subgraph import (
    Expectations,
    PlaceholdersUnfilled,
    check_subgraph,
    placeholders,
)
from graph_test_daemon.subgraph.filling import fill

from .small import ADDRESS, write


@pytest.mark.parametrize(
    "written", ["@Notes@", "{{Notes}}", "{{ Notes }}", "{{{Notes}}}", "${Notes}"]
)
def test_each_way_to_write_a_placeholder_is_filled_in(written: str) -> None:
    filled = fill(f"address: '{written}'\n", {"Notes": ADDRESS, "more": 1}, "f")
    assert filled.text == f"address: '{ADDRESS}'\n"
    assert filled.used == {"Notes"}


def test_a_number_is_written_as_one() -> None:
    assert fill("startBlock: {{start-block}}", {"start-block": 7}, "f").text == "startBlock: 7"


@pytest.mark.parametrize("text", ["mail: a@b.example", "@entity(x: 1)", "$x {y}", "a {{ }} b"])
def test_what_is_no_placeholder_stays(text: str) -> None:
    assert list(placeholders(text)) == []


def test_an_unknown_placeholder_is_told_with_its_place_and_the_known_names() -> None:
    (problem,) = fill("a: 1\nb: @Note@", {"Notes": "x"}, "f").problems
    assert str(problem) == 'f:2:4: the placeholder @Note@ has no value (did you mean "Notes"?)'
    (problem,) = fill("b: @X@", {"Notes": "x", "Staking": "y"}, "f").problems
    assert problem.hint == "known: Notes, Staking"


def test_sections_of_mustache_are_not_silently_left() -> None:
    assert len(fill("{{#each}} {{/each}}", {"each": "x"}, "f").problems) == 2


def test_the_manifest_is_filled_in_and_the_source_stays(tmp_path: Path) -> None:
    m = "subgraph.yaml"
    write(tmp_path, (m, "hardhat", "'@network@'"), (m, ADDRESS, "@Notes@"))
    before = (tmp_path / m).read_text()
    checked, texts = check_subgraph(
        tmp_path, values={"Notes": ADDRESS}, expected=Expectations(network="hardhat")
    )
    assert checked.problems == ()
    assert ADDRESS in texts[m]
    assert (tmp_path / m).read_text() == before


def test_named_files_are_filled_in_too(tmp_path: Path) -> None:
    write(tmp_path, ("schema.graphql", "immutable: true", "immutable: @flag@"))
    checked, texts = check_subgraph(
        tmp_path, values={"flag": "true"}, fill_in=["schema.graphql"], expected=Expectations()
    )
    assert checked.problems == ()
    assert "immutable: true" in texts["schema.graphql"]


def test_all_unknown_placeholders_are_named_at_once(tmp_path: Path) -> None:
    m = "subgraph.yaml"
    write(tmp_path, (m, "hardhat", "'@network@'"), (m, ADDRESS, "@Notes@"))
    with pytest.raises(PlaceholdersUnfilled, match="2 unknown placeholders") as caught:
        check_subgraph(tmp_path)
    assert [problem.line for problem in caught.value.problems] == [7, 9]
