from __future__ import annotations

from pathlib import Path

import pytest

from graph_test_daemon.subgraph import (
    BuiltSubgraph,
    GraftBase,
    GraftRefused,
    GraftStep,
    check_grafts,
    compare_schemas,
    grafted,
    read_schema,
    require_grafts,
)

BASE = GraftBase(deployment="QmBase", first_block=5, latest_block=30)


def step(block: int, name: str = "one") -> GraftStep:
    return GraftStep(name=name, block=block)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        (-1, "there is no block -1"),
        (4, "QmBase has data from 5 on"),
        (5, None),
        (20, None),
        (21, "block 21 may be undone: it is within 10 blocks of 30, where QmBase is"),
        (31, "it cannot begin at block 31: QmBase is at 30"),
    ],
)
def test_the_block_of_a_graft_is_compared_with_its_base(block: int, told: str | None) -> None:
    problems = check_grafts(BASE, [step(block)])
    assert [told in problem.message for problem in problems if told] == ([True] if told else [])


def test_who_grafts_too_near_to_the_head_is_told_how_many_blocks_to_mine() -> None:
    (problem,) = check_grafts(BASE, [step(23)])
    assert problem.hint == "graft at block 20 or earlier, or mine 3 more blocks first"


def test_a_failed_base_is_used_up_to_where_it_failed() -> None:
    base = GraftBase(deployment="QmBase", first_block=0, latest_block=30, failed_at=12)
    assert check_grafts(base, [step(11)]) == ()
    (problem,) = check_grafts(base, [step(12)])
    assert "QmBase failed at 12" in problem.message


def test_a_chain_is_checked_as_a_whole_before_it_begins() -> None:
    steps = [step(10, "a"), step(8, "b"), step(40, "c")]
    problems = check_grafts(BASE, steps)
    assert [(problem.file, problem.hint) for problem in problems] == [
        ("b", "graft at block 10 or later"),
        ("c", "mine blocks, and wait until they are indexed"),
    ]
    with pytest.raises(GraftRefused, match="cannot graft onto QmBase: 2 problems"):
        require_grafts(BASE, steps)


def test_a_chain_of_ten_is_accepted() -> None:
    require_grafts(BASE, [step(10 + number, str(number)) for number in range(10)])


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a: Int!", "a: Int!\n b: Int", None),
        ("a: Int!\n b: Int!", "a: Int", None),
        ("a: Int!", "a: Int!\n b: Int!", '2:2: the field "E.b" is new and required (make it Int)'),
        ("a: Int!", "a: BigInt!", 'the field "E.a" was Int! in the base, and is BigInt!'),
        ("a: Int", "a: Int!", 'the field "E.a" was optional in the base, and is required'),
        ("a: Int", 'a: Int\n b: [E!]! @derivedFrom(field: "a")', None),
    ],
)
def test_schemas_must_be_alike_enough(before: str, after: str, told: str | None) -> None:
    def schema(fields: str) -> str:
        return f"type E @entity(immutable: true) {{ id: ID!, {fields} }}"

    problems = compare_schemas(read_schema(schema(before)), read_schema(schema(after)), "s")
    assert [told in str(problem) for problem in problems if told] == ([True] if told else [])


def test_entities_may_come_and_go_but_keep_their_flag() -> None:
    before = read_schema("type A @entity(immutable: true) {id: ID!} type B @entity {id: ID!}")
    after = read_schema("type A @entity(immutable: false) {id: ID!} type C @entity {id: ID!}")
    (problem,) = compare_schemas(before, after, "s")
    assert problem.message == 'the entity "A" may not become mutable'


def test_a_graft_is_declared_in_the_manifest_and_changes_nothing_else() -> None:
    built = BuiltSubgraph(
        directory=Path("d"), manifest={"features": ["x"], "y": 1}, files=(), was_kept=True
    )
    made = grafted(built, base="QmBase", block=3)
    assert made.manifest == {
        "features": ["x", "grafting"],
        "y": 1,
        "graft": {"base": "QmBase", "block": 3},
    }
    assert grafted(made, base="QmOther", block=4).manifest["features"] == ["x", "grafting"]
    assert built.manifest == {"features": ["x"], "y": 1}
