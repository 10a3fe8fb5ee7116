from __future__ import annotations

import dataclasses
import re

import pytest

from harness.protocol import METHODS, NOTIFICATIONS, Params, adapter


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_named_noun_verb_and_has_a_summary(name):
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", name)
    assert METHODS[name].summary.endswith(".")


@pytest.mark.parametrize("name", METHODS)
def test_the_parameters_of_a_method_are_a_dataclass_that_refuses_unknown_names(name):
    params = METHODS[name].params
    assert issubclass(params, Params)
    schema = adapter(params).json_schema()
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", METHODS)
def test_the_result_of_a_method_has_a_schema(name):
    assert adapter(METHODS[name].result).json_schema()


@pytest.mark.parametrize("name", NOTIFICATIONS)
def test_a_notification_says_whose_it_is(name):
    _, params = NOTIFICATIONS[name]
    names = [field.name for field in dataclasses.fields(params)]
    assert {"subscription", "id"} & set(names)
