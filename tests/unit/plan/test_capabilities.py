from __future__ import annotations

from dataclasses import dataclass

import pytest

from harness.errors import PlanError
from harness.model import (
    CommandCheck,
    CompositeCheck,
    CompositeMode,
    HealthSpec,
    Hook,
    Hooks,
    LogCheck,
    OutputSpec,
    ProbeSpec,
    RestartMode,
    RestartPolicy,
    ServiceSpec,
    Stage,
    TaskSpec,
    TcpCheck,
)
from harness.plan import check_capabilities, unsupported


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    stdin: bool = False
    user: str | None = None


ALL = ("starts", "services", "tasks", "exec", "stdin", "signals", "logs", "recovers", "run_as_user")


def service(**more) -> ServiceSpec:
    return ServiceSpec(**{"name": "db", "type": "x", "options": Options(), "base_dir": "/", **more})


def task(**more) -> TaskSpec:
    return TaskSpec(name="seed", type="x", options=Options(), base_dir="/", **more)


def staged(check) -> HealthSpec:
    return HealthSpec(stages=(Stage(name="ready", probe=ProbeSpec(check=check)),))


COMMAND = CommandCheck(argv=("true",))
LOG = LogCheck(pattern="up")

WISHES = [
    (service(), "to keep running", "services"),
    (task(), "a task's command", "tasks"),
    (service(options=Options(stdin=True)), "stdin", "stdin"),
    (service(options=Options(user="nobody")), "a user", "run_as_user"),
    (service(hooks=Hooks(pre_start=(Hook(argv=("true",)),))), "hooks", "starts"),
    (service(env={"A": "1"}), "env", "starts"),
    (service(env_file=("a.env",)), "env", "starts"),
    (
        service(restart=RestartPolicy(mode=RestartMode.ALWAYS)),
        "a restart policy",
        "starts",
    ),
    (service(health=staged(COMMAND)), "a command check", "exec"),
    (
        service(health=HealthSpec(liveness=ProbeSpec(check=COMMAND))),
        "a command check",
        "exec",
    ),
    (
        service(
            health=staged(CompositeCheck(mode=CompositeMode.ALL, checks=(TcpCheck(port="1"), LOG)))
        ),
        "a log check",
        "logs",
    ),
    (task(outputs=(OutputSpec(name="a", json="a"),)), "outputs read from stdout", "logs"),
]


@pytest.mark.parametrize(("unit", "wish", "capability"), WISHES)
def test_a_wish_that_the_executor_cannot_fulfil_is_refused_by_name(unit, wish, capability):
    able = [name for name in ALL if name != capability]
    with pytest.raises(PlanError) as caught:
        check_capabilities({unit.name: unit}, {"x": able})
    assert str(caught.value) == (
        f'cannot plan the stack: "{unit.name}" has {wish}, '
        f"but units of type x do not support {capability}"
    )
    assert caught.value.details == {
        "unsupported": [
            {"unit": unit.name, "wish": wish, "executor": "x", "capability": capability}
        ]
    }


@pytest.mark.parametrize(("unit", "wish", "capability"), WISHES)
def test_a_wish_that_the_executor_can_fulfil_passes(unit, wish, capability):
    check_capabilities({unit.name: unit}, {"x": ALL})


def test_a_plain_service_wishes_nothing():
    plain = service(options=None, health=staged(TcpCheck(port="1")))
    assert unsupported({"db": plain}, {"x": ["services"]}) == ()


def test_an_output_from_a_file_needs_no_logs():
    unit = task(outputs=(OutputSpec(name="a", file="a.txt"),))
    check_capabilities({"seed": unit}, {"x": ["tasks"]})


def test_all_wishes_of_all_units_are_named_at_once():
    one = service(options=Options(stdin=True, user="nobody"))
    found = unsupported({"db": one, "seed": task()}, {"x": ["services"]})
    assert [(item.unit, item.capability) for item in found] == [
        ("db", "stdin"),
        ("db", "run_as_user"),
        ("seed", "tasks"),
    ]


def test_an_unknown_executor_is_refused_with_a_suggestion():
    with pytest.raises(PlanError, match='no executor of type "dokcer"') as caught:
        check_capabilities({"db": service(type="dokcer")}, {"docker": ALL, "process": ALL})
    assert caught.value.hint == 'did you mean "docker"?'


def test_an_unknown_executor_with_nothing_near_lists_what_is_known():
    with pytest.raises(PlanError) as caught:
        check_capabilities({"db": service(type="zzz")}, {"docker": ALL, "process": ALL})
    assert caught.value.hint == "known: docker, process"
