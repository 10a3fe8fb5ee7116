"""Types of units and checks that plugins bring, in a stack file."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from harness.config import ExtraTypes, Source, StackCodec, load, schema, validate
from harness.executors import option_types
from harness.model import CompositeCheck, CustomCheck, StoredOptions
from tests.places_plugin import SleeperOptions, ToldOptions

EXTRA = ExtraTypes(executors={"sleeper": SleeperOptions}, checks={"told": ToldOptions})


class Finder:
    """Counts how often it is asked."""

    def __init__(self, extra: ExtraTypes = EXTRA) -> None:
        self.asked = 0
        self._extra = extra

    def __call__(self) -> ExtraTypes:
        self.asked += 1
        return self._extra


@pytest.fixture
def source(tmp_path: Path):
    def write(text: str) -> Source:
        (tmp_path / "harness.yaml").write_text(text)
        return Source(directory=str(tmp_path), env={"N": "7"})

    return write


def read(source: Source, find: Finder):
    return load(source, executors=option_types(), find=find)


BUILT_IN = """\
services:
  a: {type: PROCESS, command: x, health_check: {tcp: 80}}
  b: {type: unheard-of, profiles: [debug]}
"""


def test_nobody_is_asked_for_built_in_types(source):
    find = Finder()
    read(source(BUILT_IN), find)
    assert find.asked == 0


def test_nobody_is_asked_where_a_check_of_all_meets_built_in_types_only(source):
    find = Finder()
    assert not validate(source(BUILT_IN), executors=option_types(), find=find).problems
    assert find.asked == 0


def test_a_type_of_a_plugin_is_found_and_its_options_are_checked(source):
    find = Finder()
    stack = read(source("services:\n  a: {type: Sleeper, for: 2m, words: [7, x]}\n"), find)
    assert stack.units["a"].type == "sleeper"
    assert stack.units["a"].options == SleeperOptions(for_=120.0, words=("7", "x"))
    assert find.asked == 1


_CHECKS = """\
services:
  a:
    type: process
    command: x
    health_check: {all: [{custom: told}, {custom: {told: }}, {custom: {told: {count: "${N}"}}}]}
    liveness: {custom: {told: {answer: "${a.pid}"}}, interval: 5s}
"""


def test_checks_of_plugins_are_found_and_their_options_are_checked(source):
    find = Finder()
    health = read(source(_CHECKS), find).units["a"].health
    assert health is not None
    options = [ToldOptions(), ToldOptions(), ToldOptions(count=7)]
    assert isinstance(health.stages[0].probe.check, CompositeCheck)
    assert health.stages[0].probe.check.checks == tuple(
        CustomCheck(kind="told", options=option) for option in options
    )
    assert [check.options for check in health.checks][3] == ToldOptions(answer="${a.pid}")
    assert find.asked == 1


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ("type: sleper", '2:13: services.a.type: nothing here runs units of type "sleper"'),
        ("type: sleper", 'did you mean "sleeper"?'),
        ("type: sleeper, fr: 1", '2:22: services.a.fr: unknown key; did you mean "for"?'),
        ("type: sleeper, for: [1]", "2:27: services.a.for: "),
        ("type: sleeper, liveness: {custom: tld}", 'plugin brings a check "tld"; did you mean'),
        ("type: sleeper, liveness: {custom: {told: {cont: 1}}}", "custom.told.cont: unknown key"),
        ("type: sleeper, liveness: {custom: {told: {count: x}}}", "custom.told.count: must be a"),
        ("type: sleeper, liveness: {custom: {told: 3}}", "custom.told: must be a map"),
        ("type: sleeper, liveness: {custom: {}}", "custom: names no check"),
        ("type: sleeper, liveness: {custom: {told: {}, b: {}}}", "custom: names told and b"),
        ("type: sleeper, liveness: {custom: told, tcp: 1}", "has tcp and custom"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(source, unit, message):
    found = validate(
        source(f"services:\n  a: {{{unit}}}\n"), executors=option_types(), find=Finder()
    )
    assert any(message in str(problem) for problem in found.problems), found.problems


def test_a_broken_plugin_is_named_where_it_might_have_brought_the_type(source):
    find = Finder(ExtraTypes(broken=["places"]))
    found = validate(source("services:\n  a: {type: xyz}\n"), executors=option_types(), find=find)
    assert "plugins that cannot be used: places (harness plugin list)" in str(found.problems[0])


def test_what_plugins_bring_survives_being_stored_and_their_absence(source):
    stack = read(source(_CHECKS + "  b: {type: sleeper, words: [x]}\n"), Finder())
    codec = StackCodec({**option_types(), **EXTRA.executors}, EXTRA.checks)
    value = codec.encode(stack)
    assert codec.decode(value) == stack
    bare = StackCodec(option_types())
    alone = bare.decode(value)
    assert alone.units["b"].options == StoredOptions(values={"words": ["x"]})
    assert codec.decode(bare.encode(alone)) == stack


def test_the_schema_knows_them():
    made = schema({**option_types(), **EXTRA.executors}, checks=EXTRA.checks)

    def accepts(unit: dict[str, object]) -> bool:
        return not list(
            jsonschema.Draft202012Validator(made).iter_errors({"services": {"a": unit}})
        )

    assert accepts({"type": "sleeper", "for": "2m"})
    assert not accepts({"type": "sleeper", "command": "x"})
    for good in ("told", {"told": None}, {"told": {"count": 3}}):
        assert accepts({"type": "sleeper", "health_check": {"custom": good}})
    wrong: tuple[object, ...] = ("other", {"other": {}}, {"told": {"cont": 1}}, {}, 3)
    for bad in wrong:
        assert not accepts({"type": "sleeper", "health_check": {"custom": bad}}), bad
