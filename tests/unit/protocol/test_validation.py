from __future__ import annotations

from typing import Any

import pytest

from harness.errors import InvalidParameters
from harness.protocol import (
    DaemonHello,
    NoParams,
    ProjectName,
    Source,
    UpParams,
    WaitParams,
    parse_params,
    parse_result,
)


def _problems(of: Any, params: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(InvalidParameters) as caught:
        parse_params(of, params, method="m")
    problems: Any = caught.value.details["problems"]
    return {problem["path"]: problem["message"] for problem in problems}


def test_parameters_become_their_dataclass():
    params = parse_params(
        UpParams,
        {"source": {"directory": "/a", "files": ["x", "y"], "env": {"A": "1"}}, "timeout_s": 3},
        method="services.up",
    )
    assert params == UpParams(
        source=Source(directory="/a", files=("x", "y"), env={"A": "1"}), timeout_s=3.0
    )


def test_every_problem_is_named_with_its_path():
    problems = _problems(
        UpParams,
        {"source": {"directory": 1, "files": ["x", 2], "colour": 1}, "force": "yes", "untis": []},
    )
    assert set(problems) == {
        "source.directory",
        "source.files[1]",
        "source.colour",
        "force",
        "untis",
    }
    assert problems["untis"] == "unknown parameter"


def test_a_missing_parameter_is_missing():
    assert _problems(UpParams, {}) == {"source": "missing"}


def test_numbers_and_texts_are_not_taken_for_each_other():
    assert set(_problems(WaitParams, {"project": 3, "timeout_s": "3"})) == {"project", "timeout_s"}


def test_a_value_outside_of_its_choices_is_refused():
    assert "target" in _problems(WaitParams, {"project": "shop", "target": "happy"})


def test_a_method_without_parameters_takes_none():
    assert parse_params(NoParams, {}, method="m") == NoParams()
    assert _problems(NoParams, {"a": 1}) == {"a": "unknown parameter"}


def test_an_environment_that_is_no_utf8_is_accepted():
    value = b"\xff".decode("utf-8", "surrogateescape")
    source = {"directory": "/", "env": {"A": value}}
    params = parse_params(UpParams, {"source": source}, method="m")
    assert params.source.env["A"].encode("utf-8", "surrogateescape") == b"\xff"


def test_an_error_never_shows_the_environment():
    source = {"directory": 3, "env": {"TOKEN": "sesame"}}
    with pytest.raises(InvalidParameters) as caught:
        parse_params(UpParams, {"source": source}, method="m")
    assert "sesame" not in f"{caught.value} {caught.value.details} {caught.value.__cause__!r}"
    assert "sesame" not in repr(Source(directory="/", env={"TOKEN": "sesame"}))


def test_a_result_may_have_keys_of_tomorrow():
    value = {"protocol": 1, "version": "2", "pid": 3, "mood": "good"}
    assert parse_result(DaemonHello, value) == DaemonHello(protocol=1, version="2", pid=3)


def test_a_result_of_another_shape_is_refused():
    with pytest.raises(InvalidParameters, match="cannot read the result"):
        parse_result(ProjectName, {})
