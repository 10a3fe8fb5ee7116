from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model import (
    Condition,
    Dependency,
    HealthSpec,
    HttpCheck,
    ProbeSpec,
    Secret,
    ServiceSpec,
    Stage,
    TaskSpec,
    TcpCheck,
)
from harness.plan import UNFINGERPRINTED, changed_fields, field_hashes, fingerprint
from tests.unit.plan.cases import unhurried


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    command: tuple[str, ...] = ("sleep", "1")
    working_dir: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    extra: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewerOptions:
    command: tuple[str, ...] = ("sleep", "1")
    working_dir: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    extra: Any = None
    added_later: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherOptions:
    command: tuple[str, ...] = ("sleep", "1")


class Text(str):
    """Text of a type of its own."""


BASE = ServiceSpec(name="web", type="process", options=Options(), base_dir="/srv")


def with_check(check) -> ServiceSpec:
    return replace(
        BASE, health=HealthSpec(stages=(Stage(name="ready", probe=ProbeSpec(check=check)),))
    )


def with_extra(value: Any) -> ServiceSpec:
    return replace(BASE, options=Options(extra=value))


def test_equal_definitions_have_one_fingerprint():
    assert fingerprint(BASE) == fingerprint(replace(BASE, options=Options()))
    assert changed_fields(BASE, replace(BASE)) == ()


def test_the_fingerprint_is_the_same_in_every_process_and_version():
    assert fingerprint(BASE) == "c0f18627bcea825737f8001be0015626995185ee1213d2d24873bbefeb8f50c8"


@unhurried
@given(st.permutations(["A", "B", "C"]))
def test_the_order_of_a_mapping_does_not_count(names):
    one = replace(
        BASE, env=dict.fromkeys(names, "1"), options=Options(labels=dict.fromkeys(names, "x"))
    )
    two = replace(
        BASE, env=dict.fromkeys("ABC", "1"), options=Options(labels=dict.fromkeys("ABC", "x"))
    )
    assert fingerprint(one) == fingerprint(two)


def test_the_order_of_a_list_counts():
    one = replace(BASE, options=Options(command=("a", "b")))
    two = replace(BASE, options=Options(command=("b", "a")))
    assert changed_fields(one, two) == ("command",)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"env": {"LOG": "debug"}}, ("env.LOG",)),
        ({"options": Options(working_dir="/tmp")}, ("working_dir",)),
        ({"options": Options(labels={"a": "b"})}, ("options.labels",)),
        ({"options": OtherOptions()}, ("type",)),
        ({"options": {"command": ["x"]}}, ("options.command", "type")),
        ({"options": None}, ("options", "type")),
        ({"type": "docker"}, ("type",)),
        (
            {"stop_signal": "SIGINT", "shutdown_timeout_s": 3.0},
            ("shutdown_timeout_s", "stop_signal"),
        ),
    ],
)
def test_what_changed_is_named_as_in_the_stack_file(changes, names):
    assert changed_fields(BASE, replace(BASE, **changes)) == names


def test_a_service_that_became_a_task_changed_its_kind():
    task = TaskSpec(name="web", type="process", options=Options(), base_dir="/srv")
    assert changed_fields(BASE, task) == ("kind",)


@pytest.mark.parametrize(
    "changes",
    [
        {"description": "the web server"},
        {"labels": {"team": "a"}},
        {"profiles": ("dev",)},
        {"service_type": "http"},
        {"depends_on": (Dependency(on="db", condition=Condition.STARTED),)},
    ],
)
def test_a_change_that_is_for_people_or_for_the_start_alone_does_not_count(changes):
    assert set(changes) <= UNFINGERPRINTED
    assert fingerprint(replace(BASE, **changes)) == fingerprint(BASE)


def test_checks_of_two_kinds_differ_though_their_values_agree():
    assert changed_fields(with_check(TcpCheck(port="1")), with_check(TcpCheck(port="1"))) == ()
    assert changed_fields(with_check(TcpCheck(port="1")), with_check(HttpCheck(url="1"))) == (
        "health",
    )


def test_a_field_added_by_a_newer_version_changes_nothing_at_its_default():
    old = field_hashes(BASE)
    new = field_hashes(replace(BASE, options=NewerOptions()))
    assert {name for name in new if new[name] != old.get(name)} == {"type"}


def test_a_number_counts_the_same_with_and_without_a_point():
    assert fingerprint(with_extra(10)) == fingerprint(with_extra(10.0))
    assert fingerprint(with_extra(10)) != fingerprint(with_extra(10.5))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (b"\xff", b"\xfe"),
        (PurePosixPath("/a"), PurePosixPath("/b")),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)),
        (Secret("a"), Secret("b")),
        (frozenset({"a", "b"}), frozenset({"a", "c"})),
        (Condition.STARTED, Condition.HEALTHY),
        ([1, {"x": None}], [1, {"x": False}]),
        (True, "true"),
        ("1", 1),
        (Text("a"), Text("b")),
        (TcpCheck(port="1"), {"port": "1"}),
    ],
)
def test_every_kind_of_value_counts(one, two):
    assert fingerprint(with_extra(one)) == fingerprint(with_extra(one))
    assert changed_fields(with_extra(one), with_extra(two)) == ("extra",)


def test_the_order_of_a_set_does_not_count():
    assert fingerprint(with_extra({"a", "b", "c"})) == fingerprint(with_extra({"c", "b", "a"}))


def test_a_value_without_a_stable_text_is_refused():
    with pytest.raises(TypeError, match="cannot fingerprint a value of type object"):
        fingerprint(with_extra(object()))


def test_stored_hashes_give_the_same_fingerprint():
    assert fingerprint(field_hashes(BASE)) == fingerprint(BASE)


def test_stored_hashes_can_stand_for_a_definition():
    stored = field_hashes(BASE)
    assert changed_fields(stored, replace(BASE, env={"A": "1"})) == ("env.A",)
    assert changed_fields(replace(BASE, env={"A": "1"}), stored) == ("env.A",)


_ENVS = st.dictionaries(st.sampled_from("ABCD"), st.text(max_size=3))


@unhurried
@given(_ENVS, _ENVS)
def test_fingerprints_agree_exactly_when_nothing_changed(one, two):
    first, second = replace(BASE, env=one), replace(BASE, env=two)
    assert (fingerprint(first) == fingerprint(second)) == (changed_fields(first, second) == ())
    assert (one == two) == (changed_fields(first, second) == ())
