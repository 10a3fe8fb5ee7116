from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pytest

from harness.actions import ActionSet, Call, action
from tests.toy_plugin import Counted, Daemon, Search, Toy


def test_actions_come_by_name_in_the_order_of_their_definition():
    names = list(Toy.declared())
    assert names[:3] == ["count", "look-around", "listen"]
    assert names.index("late") < names.index("lie") < names.index("about")
    assert list(Daemon.declared()) == ["add"]


def test_texts_come_from_the_docstring():
    count = Toy.declared()["count"]
    assert (count.summary, count.description) == ("Count on.", "Each step is told.")
    properties = count.parameters_schema()["properties"]
    assert properties["times"]["description"] == "how often, at least once."


def test_schemas_come_from_annotations():
    count = Toy.declared()["count"]
    schema = count.parameters_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["times"]["type"] == "integer"
    assert schema["$defs"]["Step"]["enum"] == ["one", "ten"]
    assert "required" not in schema
    assert "call" not in schema["properties"]
    assert count.result_schema()["properties"].keys() == {"before", "now"}
    assert count.event_schemas().keys() == {"counted"}
    assert count.events["counted"] is Counted


def test_parameters_without_a_default_are_required():
    assert Daemon.declared()["add"].parameters_schema()["required"] == ["a"]


def test_a_default_that_is_made_anew_is_in_the_schema():
    collect = Toy.declared()["collect"]
    assert collect.method == "collect_all"
    assert collect.parameters_schema()["properties"]["extra"]["default"] == {}


def test_a_dataclass_may_be_all_parameters():
    schema = Toy.declared()["find"].parameters_schema()
    assert schema["required"] == ["text"]
    assert schema["additionalProperties"] is False
    assert schema["title"] == Search.__name__


def test_an_action_without_result_returns_null():
    assert Toy.declared()["tell"].result_schema() == {"type": "null"}


@dataclass(frozen=True)
class _Row:
    table_columns: ClassVar[Mapping[str, str]] = {"block": "latest.number"}

    latest: Mapping[str, int]


class _Tables(ActionSet):
    @action()
    async def chosen(self) -> list[_Row]:
        """Return rows."""
        return []

    @action()
    async def one(self) -> _Row | None:
        """Return a row."""

    @action()
    async def plain(self) -> list[Counted]:
        """Return what has no columns of its own."""
        return []


def test_a_class_says_which_columns_a_table_of_it_has():
    declared = _Tables.declared()
    assert declared["chosen"].columns() == {"block": "latest.number"}
    assert declared["one"].columns() == declared["plain"].columns() == {}
    assert declared["chosen"].result_schema()["$defs"]["_Row"]["properties"].keys() == {"latest"}


@dataclass
class _Event:
    n: int


def _with_no_docstring() -> type[ActionSet]:
    class Wrong(ActionSet):
        @action()
        async def go(self) -> None:
            pass

    return Wrong


def _with_no_type() -> type[ActionSet]:
    class Wrong(ActionSet):
        @action()
        async def go(self, far) -> None:
            """Go."""

    return Wrong


def _with_any_names() -> type[ActionSet]:
    class Wrong(ActionSet):
        @action()
        async def go(self, **far: int) -> None:
            """Go."""

    return Wrong


def _that_is_not_async() -> type[ActionSet]:
    class Wrong(ActionSet):
        @action()
        def go(self) -> None:
            """Go."""

    return Wrong


def _with_an_event_of_no_fields() -> type[ActionSet]:
    class Wrong(ActionSet):
        @action(events=[int])
        async def go(self) -> None:
            """Go."""

    return Wrong


def _with_a_name_twice() -> type[ActionSet]:
    class Wrong(ActionSet):
        @action()
        async def go(self) -> None:
            """Go."""

        @action(name="go")
        async def run(self) -> None:
            """Run."""

    return Wrong


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (_with_no_docstring, r"Wrong\.go has no docstring"),
        (_with_no_type, r'Wrong\.go says no type for "far"'),
        (_with_any_names, r'Wrong\.go takes "\*far"'),
        (_that_is_not_async, r'Wrong\.go is an action, so it must be an "async def"'),
        (_with_an_event_of_no_fields, r"Wrong\.go emits int, which is no dataclass"),
        (_with_a_name_twice, r'Wrong has two actions of the name "go"'),
    ],
)
def test_a_declaration_that_lacks_something_says_what(make, cause):
    with pytest.raises(TypeError, match=cause):
        make().declared()


def test_a_subclass_has_its_own_and_the_inherited_actions():
    class More(Daemon):
        @action(events=[_Event])
        async def more(self, call: Call) -> None:
            """Do more."""

    assert set(More.declared()) == {"add", "more"}
    assert set(Daemon.declared()) == {"add"}


def test_actions_of_several_classes_come_class_by_class():
    class Second(ActionSet):
        @action()
        async def third(self) -> None:
            """Do it."""

    class First(ActionSet):
        @action()
        async def second(self) -> None:
            """Do it."""

    class Both(First, Second):
        @action()
        async def first(self) -> None:
            """Do it."""

    assert list(Both.declared()) == ["first", "second", "third"]


@dataclass(frozen=True, kw_only=True)
class Older:
    """Parameters that another class has, too."""

    low: int = 0
    """Where it begins."""


@dataclass(frozen=True, kw_only=True)
class Wanted(Older):
    """All parameters as one."""

    high: int = 10
    """Where it
    ends."""
    step: int = 1


def test_texts_below_the_fields_of_parameters_are_their_descriptions() -> None:
    class Counter(ActionSet):
        @action()
        async def count(self, wanted: Wanted) -> None:
            """Count."""

    properties = Counter.declared()["count"].parameters_schema()["properties"]
    assert properties["low"]["description"] == "Where it begins."
    assert properties["high"]["description"] == "Where it\nends."
    assert "description" not in properties["step"]
