"""Resource limits by name."""

from __future__ import annotations

import pytest

from harness.commands import LIMITS, check_limits
from harness.commands.limits import limits_script


def test_sizes_are_turned_into_the_units_of_the_shell() -> None:
    assert limits_script({"core": 1000}) == "{ ulimit -c 2 2>/dev/null; }"


def test_minus_one_is_unlimited() -> None:
    assert limits_script({"stack": -1}) == "{ ulimit -s unlimited 2>/dev/null; }"


def test_no_limits_is_a_command_that_succeeds() -> None:
    assert limits_script({}) == ":"


def test_several_limits_must_all_succeed() -> None:
    assert limits_script({"nofile": 10, "cpu": 5}).count(" && ") == 1


def test_every_listed_limit_is_known() -> None:
    check_limits(dict.fromkeys(LIMITS, 1))


@pytest.mark.parametrize("limits", [{"colour": 1}, {"nofile": -2}])
def test_unknown_names_and_impossible_numbers_are_refused(limits: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(limits))):
        check_limits(limits)
