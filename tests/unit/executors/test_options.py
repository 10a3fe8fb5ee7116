"""What the options of each type allow, and how they say what they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from harness.clock import SystemClock
from harness.config import Source, validate
from harness.executors import (
    TypedExecutor,
    TypedOptions,
    builtin_capabilities,
    builtin_executors,
    option_types,
)
from harness.executors.external import ExternalOptions
from harness.executors.fake import FakeOptions
from harness.executors.process_options import ProcessOptions


@pytest.mark.parametrize(
    ("fields", "argv"),
    [
        ({"command": ["a", "b c"]}, ("a", "b c")),
        ({"command": "a 'b c' \"$X\""}, ("a", "b c", "$X")),
        ({"command": "a | b", "shell": True}, ("/bin/sh", "-c", "a | b")),
        ({"binary": "./a", "args": ["-x", ""]}, ("./a", "-x", "")),
    ],
)
def test_a_command_can_be_written_in_four_ways(
    fields: dict[str, Any], argv: tuple[str, ...]
) -> None:
    assert TypeAdapter(ProcessOptions).validate_python(fields).argv == argv


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, 'set either "command" or "binary"'),
        ({"command": "a", "binary": "b"}, 'set either "command" or "binary"'),
        ({"command": "a", "args": ["b"]}, '"args" belong to "binary"'),
        ({"command": ["a"], "shell": True}, "the command must be one text"),
        ({"command": " "}, "the command is empty"),
        ({"command": []}, "the command is empty"),
        ({"command": "", "shell": True}, "the command is empty"),
        ({"command": "a 'b"}, "the command cannot be split: No closing quotation"),
        ({"command": "a", "nice": 20}, '"nice" must be between -20 and 19, not 20'),
        ({"command": "a", "umask": "9"}, '"umask" must be up to three octal digits, not 9'),
        ({"command": "a", "umask": 1000}, '"umask" must be up to three octal digits, not 1000'),
        ({"command": "a", "limits": {"colour": 1}}, 'unknown limit "colour"'),
    ],
)
def test_options_that_do_not_fit_together_say_why(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(ProcessOptions).validate_python(fields)
    assert message in str(caught.value)


def test_options_of_a_stack_file_are_refused_at_their_places_and_all_at_once(
    tmp_path: Path,
) -> None:
    (tmp_path / "harness.yaml").write_text(
        """\
services:
  a:
    type: process
    command: a
    args: [b]
    nice: 99
    umask: "${NONE:-999}"
    limits: {core: -2, nofiel: 1}
  b: {type: process, command: a, resources: {memory: 1G}}
  c: {type: process, command: a, nice: x, umask: 999}
  d: {type: process, command: a, args: [b], umask: "${NONE:-22}"}
  e: {type: fake, exit_code: 999, run_for: soon, ready_after: -1}
"""
    )
    source = Source(directory=str(tmp_path))

    found = validate(source, executors=option_types()).problems

    assert [str(problem).removeprefix("harness.yaml:") for problem in found] == [
        '5:11: services.a.args: "args" belong to "binary"',
        '6:11: services.a.nice: "nice" must be between -20 and 19, not 99',
        '7:12: services.a.umask: "umask" must be up to three octal digits, not 999',
        '8:20: services.a.limits.core: limit "core" cannot be -2; -1 means unlimited',
        '8:24: services.a.limits.nofiel: unknown limit "nofiel"; did you mean "nofile"?',
        (
            '9:46: services.b.resources.memory: unknown limit "memory"; known: as, core, cpu, '
            "data, fsize, memlock, nofile, nproc, stack"
        ),
        '10:40: services.c.nice: must be a whole number, not "x"',
        '10:50: services.c.umask: "umask" must be up to three octal digits, not 999',
        '11:40: services.d.args: "args" belong to "binary"',
        '12:30: services.e.exit_code: "exit_code" must be between 0 and 255, not 999',
        (
            '12:44: services.e.run_for: "soon" is no duration; write seconds, or for example '
            "500ms, 10s, 2m, 1h30m"
        ),
        "12:63: services.e.ready_after: a duration cannot be -1.0",
    ]


@pytest.mark.parametrize("umask", ["022", "0022", "0o022", 22])
def test_the_digits_of_a_umask_are_octal_however_yaml_reads_them(umask: str | int) -> None:
    assert ProcessOptions(command="a", umask=umask).umask_bits == 0o022


@pytest.mark.parametrize(
    "fields", [{"run_for": -1}, {"run_for": "soon"}, {"ready_after": -0.1}, {"exit_code": 256}]
)
def test_impossible_behaviour_of_a_fake_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        FakeOptions(**fields)


def test_durations_of_a_fake_may_have_a_unit() -> None:
    assert FakeOptions(run_for="500ms", ready_after="2m").run_for == "500ms"


def test_every_executor_has_the_options_that_the_loader_is_told_of() -> None:
    executors = {e.name: e.options for e in builtin_executors(clock=SystemClock()).values()}
    assert {**executors, TypedExecutor.name: TypedExecutor.options} == option_types()
    assert option_types() == {
        "process": ProcessOptions,
        "fake": FakeOptions,
        "external": ExternalOptions,
        "typed": TypedOptions,
    }


def test_what_every_type_can_do_is_what_its_executor_says() -> None:
    executors = builtin_executors(clock=SystemClock())
    able = {name: executor.capabilities.names for name, executor in executors.items()}
    assert builtin_capabilities() == {**able, "typed": TypedExecutor.capabilities.names}
