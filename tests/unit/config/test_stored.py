"""A stack survives being stored, whatever it holds."""

from __future__ import annotations

import json

import pytest

from harness.config.stored import StackCodec
from harness.executors import option_types
from harness.executors.process_options import ProcessOptions
from harness.model import (
    CommandCheck,
    CompositeCheck,
    CompositeMode,
    Condition,
    Dependency,
    GraphqlCheck,
    HealthSpec,
    Hook,
    Hooks,
    HttpCheck,
    JsonRpcCheck,
    LogCheck,
    OutputSpec,
    PortSpec,
    ProbeSpec,
    RememberMode,
    RestartMode,
    RestartPolicy,
    SecretSpec,
    ServiceSpec,
    Settings,
    StackSpec,
    Stage,
    StoredOptions,
    TaskSpec,
    TcpCheck,
)

CHECKS = [
    CommandCheck(argv=("true",)),
    HttpCheck(url="http://127.0.0.1:1"),
    HttpCheck(url="http://127.0.0.1:1", status=(200, 204), headers={"a": "b"}),
    TcpCheck(port="5432"),
    LogCheck(pattern="ready"),
    JsonRpcCheck(url="http://127.0.0.1:1", method="eth_chainId"),
    GraphqlCheck(url="http://127.0.0.1:1"),
    CompositeCheck(
        mode=CompositeMode.ANY,
        checks=(TcpCheck(port="1"), GraphqlCheck(url="u"), HttpCheck(url="u")),
    ),
]


def stack(*units):
    return StackSpec(
        name="p",
        files=("/x/harness.yaml",),
        base_dir="/x",
        units={unit.name: unit for unit in units},
        secrets={"pw": SecretSpec(name="pw", env="PW")},
        variables={"A": "b"},
        settings=Settings(inherit_env=("PATH",), parallelism=3),
        inactive={"debug": ("dev",)},
    )


def service(**fields):
    options = ProcessOptions(command=("sleep", "1"), limits={"nofile": 10}, umask="022")
    return ServiceSpec(name="a", type="process", options=options, base_dir="/x", **fields)


def round_trip(spec: StackSpec) -> StackSpec:
    codec = StackCodec(option_types())
    return codec.decode(json.loads(json.dumps(codec.encode(spec))))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: type(check).__name__)
def test_every_kind_of_check_keeps_its_kind(check):
    probe = ProbeSpec(check=check, interval_s=3)
    health = HealthSpec(stages=(Stage(name="ready", probe=probe),), liveness=probe)
    spec = stack(service(health=health))
    assert round_trip(spec) == spec


def test_everything_a_unit_can_have_is_kept():
    rich = service(
        description="d",
        env={"X": "${b.url}"},
        env_file=("e",),
        depends_on=(Dependency(on="t", condition=Condition.COMPLETED, implicit=True),),
        ports={"http": PortSpec(name="http", host=None, scheme="http")},
        hooks=Hooks(pre_start=(Hook(argv=("true",)),)),
        restart=RestartPolicy(mode=RestartMode.ALWAYS, max_attempts=None),
        startup_timeout_s=1.5,
        labels={"l": ""},
    )
    task = TaskSpec(
        name="t",
        type="process",
        options=ProcessOptions(command="echo hi", shell=True),
        base_dir="/x",
        outputs=(OutputSpec(name="o", json=""), OutputSpec(name="r", regex="x")),
        remember=RememberMode.RUN,
    )
    spec = stack(rich, task)
    assert round_trip(spec) == spec


def test_options_of_a_type_that_is_gone_are_kept_for_when_it_is_back():
    codec = StackCodec(option_types())
    value = codec.encode(stack(service()))
    without = StackCodec({})
    assert isinstance(without.decode(value).units["a"].options, StoredOptions)
    assert codec.decode(without.encode(without.decode(value))) == codec.decode(value)
