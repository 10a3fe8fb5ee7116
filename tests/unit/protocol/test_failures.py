from __future__ import annotations

import json

import pytest

from harness import errors
from harness.errors import (
    ConfigError,
    ConfigSchemaError,
    HarnessError,
    MalformedMessage,
    Problem,
    RemoteFailure,
    ServiceNotFound,
)
from harness.protocol import error_from_wire, error_kinds, error_to_wire


def _every_error() -> list[type[HarnessError]]:
    found = [getattr(errors, name) for name in errors.__all__]
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, HarnessError)]


def _bare(cls: type[HarnessError]) -> HarnessError:
    """Make an error without knowing what its constructor wants."""
    error = cls.__new__(cls)
    HarnessError.__init__(error, f"cannot test {cls.__name__}", hint="go on", details={"n": [1]})
    if isinstance(error, ConfigError):
        error.problems = (_PROBLEM,)
    if isinstance(error, RemoteFailure):
        error.remote_kind = "of-tomorrow"
    return error


_PROBLEM = Problem(
    file="/a/harness.yaml", line=3, column=7, path="services.db", kind="unknown-key", message="no"
)


def test_every_kind_belongs_to_one_class():
    assert set(error_kinds().values()) == set(_every_error())


@pytest.mark.parametrize("cls", _every_error())
def test_every_error_crosses_the_wire_as_itself(cls):
    error = _bare(cls)
    back = error_from_wire(json.loads(json.dumps(error_to_wire(error))))
    assert type(back) is cls
    assert (str(back), back.hint) == (str(error), "go on")
    assert back.details["n"] == [1]


def test_problems_of_a_stack_file_cross_the_wire():
    error = ConfigSchemaError(problems=[_PROBLEM])
    back = error_from_wire(json.loads(json.dumps(error_to_wire(error))))
    assert isinstance(back, ConfigSchemaError)
    assert back.problems == (_PROBLEM,)
    assert str(back) == str(error)


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (errors.DependencyCycle(cycle=["a", "b", "a"]), {"cycle": ("a", "b", "a")}),
        (errors.UnknownTask.of("sede", ["seed"]), {"name": "sede", "did_you_mean": "seed"}),
        (errors.UnknownService(name="x"), {"name": "x", "did_you_mean": None}),
        (
            errors.CommandTimeout(command="sleep 9", cause="too long", place="n1"),
            {"command": "sleep 9", "place": "n1"},
        ),
        (
            errors.StartFailed(
                service="db", executor="process", cause="no", details={"reason": "command-error"}
            ),
            {"service": "db", "executor": "process", "cause": "no"},
        ),
        (
            errors.NotSupported(service="db", executor="fake", capability="exec"),
            {"service": "db", "executor": "fake", "capability": "exec"},
        ),
    ],
)
def test_what_an_error_knows_of_its_own_crosses_the_wire(error, facts):
    back = error_from_wire(json.loads(json.dumps(error_to_wire(error))))
    assert {name: getattr(back, name) for name in facts} == facts
    assert error.details.items() <= back.details.items()
    assert error_to_wire(back) == error_to_wire(error)


def test_every_attribute_of_an_error_is_a_fact_that_crosses_the_wire():
    known = {"hint", "details"}
    made = [
        errors.DependencyCycle(cycle=["a"]),
        errors.UnknownService(name="x"),
        errors.CommandFailed(command="x", cause="y"),
        errors.StopFailed(service="db", executor="process", cause="no"),
        errors.NotSupported(service="db", executor="fake", capability="exec"),
    ]
    for error in made:
        assert vars(error).keys() - known == set(error.facts), type(error)


def test_an_error_without_its_facts_is_still_of_its_class():
    back = error_from_wire({"message": "cannot start it", "data": {"kind": "start-failed"}})
    assert isinstance(back, errors.StartFailed)
    assert back.service is None


def test_an_unknown_kind_is_a_remote_failure_that_keeps_it():
    wire = {"code": -32000, "message": "cannot fly", "data": {"kind": "no-wings", "hint": "walk"}}
    back = error_from_wire(wire)
    assert isinstance(back, RemoteFailure)
    assert (str(back), back.hint, back.remote_kind) == ("cannot fly", "walk", "no-wings")
    assert error_to_wire(back)["data"]["kind"] == "no-wings"


@pytest.mark.parametrize(
    "wire",
    [{}, {"code": 5}, {"data": 3}, {"data": {"hint": 3, "details": 4}}, {"message": None}],
)
def test_a_poor_error_object_still_becomes_an_error(wire):
    assert isinstance(error_from_wire(wire), RemoteFailure)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MalformedMessage("cannot read it", details={"code": -32700}), -32700),
        (MalformedMessage("cannot read it"), -32600),
        (errors.MethodNotFound("cannot call it"), -32601),
        (errors.InvalidParameters("cannot call it"), -32602),
        (ServiceNotFound("cannot find it"), -32000),
    ],
)
def test_codes_are_those_of_json_rpc(error, code):
    assert error_to_wire(error)["code"] == code
