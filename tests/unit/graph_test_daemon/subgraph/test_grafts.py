from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from graph_test_daemon.subgraph import (
    BuiltSubgraph,
    GraftBase,
    GraftRefused,
    GraftStep,
    check_grafts,
    choose_blocks,
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


def test_who_may_not_graft_at_an_earlier_block_is_not_told_to() -> None:
    base = GraftBase(deployment="QmBase", first_block=25, latest_block=30)
    (problem,) = check_grafts(base, [step(25)])
    assert problem.hint == "mine 5 more blocks first"


def test_a_base_that_failed_is_not_mined_for() -> None:
    base = GraftBase(deployment="QmBase", first_block=0, latest_block=30, failed_at=31)
    (problem,) = check_grafts(base, [step(25)])
    assert problem.hint == "graft at block 20 or earlier"


def test_a_step_may_say_how_far_the_one_before_is_by_then() -> None:
    steps = [step(30), replace(step(40), height=50)]
    (problem,) = check_grafts(BASE, [replace(steps[0], height=39), steps[1]])
    assert problem.hint == "graft at block 29 or earlier, or mine 1 more blocks first"
    assert check_grafts(BASE, [replace(steps[0], height=40), steps[1]]) == ()


@pytest.mark.parametrize(
    ("wanted", "mine", "chosen"),
    [
        ([None, None], False, [(20, 30), (22, 32)]),
        ([None, None], True, [(30, 40), (40, 50)]),
        ([12, None, 45], True, [(12, 30), (32, 42), (45, 55)]),
        ([12, 40], False, [(12, 30), (40, 32)]),
    ],
)
def test_blocks_are_the_newest_that_can_be(
    wanted: list[int | None], mine: bool, chosen: list[tuple[int, int]]
) -> None:
    assert choose_blocks(BASE, wanted, head=32, mine=mine) == tuple(chosen)


def test_a_base_that_stands_still_is_not_waited_for() -> None:
    failed = GraftBase(deployment="QmBase", first_block=0, latest_block=30, failed_at=15)
    blocks = choose_blocks(failed, [None, None], head=60, mine=True, goes_on=False)
    assert blocks == ((14, 30), (60, 70))


def test_no_block_before_the_first_is_chosen() -> None:
    base = GraftBase(deployment="QmBase", first_block=25, latest_block=30)
    assert choose_blocks(base, [None], head=30) == ((25, 30),)


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
