"""Fixtures of stacks: how one is declared in a conftest.py, and what a test gets."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from harness.errors import HarnessError

from .definition import Isolation, StackDefinition, as_yaml
from .session import PytestSession
from .stack import Stack

__all__ = ["define", "give", "harness_stack", "provide", "stack_of"]

__tracebackhide__ = True  # to pytest: a test's author looks at the test

Scope = Literal["session", "package", "module", "class", "function"]
File = str | os.PathLike[str]


def define(
    *stack: File | Mapping[str, Any],
    directory: Path,
    profiles: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    units: Sequence[str] = (),
    timeout_s: float = 120.0,
    isolation: Isolation = "none",
) -> StackDefinition:
    """Return the definition of a stack; the arguments are those of `harness_stack`.

    Raises:
        TypeError: it is neither of files nor of one mapping, or something is of a wrong type.
    """
    if isolation not in ("none", "snapshot"):
        raise TypeError(f'isolation is "none" or "snapshot", not {isolation!r}')
    files = [one for one in stack if isinstance(one, str | os.PathLike)]
    mappings = [one for one in stack if isinstance(one, Mapping)]
    if len(mappings) > 1 or (mappings and files) or len(files) + len(mappings) < len(stack):
        raise TypeError("a stack is one mapping, or paths of stack files")
    for mapping in mappings:
        as_yaml(mapping)  # told where it is declared, not when it is brought up
    given = {**(variables or {}), **(env or {})}
    for key, value in given.items():
        if not isinstance(value, str):
            raise TypeError(f"the value of {key} is text, not {value!r}")
    return StackDefinition(
        stack=mappings[0] if mappings else files,
        directory=directory,
        profiles=profiles,
        env=given,
        units=units,
        timeout_s=timeout_s,
        isolation=isolation,
    )


def harness_stack(
    *stack: File | Mapping[str, Any],
    scope: Scope = "function",
    name: str | None = None,
    autouse: bool = False,
    profiles: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
    variables: Mapping[str, str] | None = None,
    units: Sequence[str] = (),
    timeout_s: float = 120.0,
    isolation: Isolation = "none",
) -> Any:
    """Return a fixture of a stack; assign it to the name that tests ask for.

    Args:
        stack: paths of stack files, from the folder of the file that calls this, each laid over
            the one before; or one mapping, as it would stand in a file; nothing: `harness.yaml`.
        scope: how many tests share one stack.
        name: of the fixture, where it is another one.
        autouse: every test has it.
        profiles: active profiles.
        env: variables for the stack file and its services, on top of those of the test run.
        variables: values for the stack file's own `variables`.
        units: bring up only these, with what they depend on.
        timeout_s: for bringing it up.
        isolation: `snapshot` gives each test the stack as it was when it had come up.
    """
    if isolation == "snapshot" and scope == "function":
        raise TypeError('isolation="snapshot" is for stacks that several tests share')
    definition = define(
        *stack,
        directory=Path(sys._getframe(1).f_code.co_filename).parent,
        profiles=profiles,
        env=env,
        variables=variables,
        units=units,
        timeout_s=timeout_s,
        isolation=isolation,
    )

    @pytest.fixture(scope=scope, name=name, autouse=autouse)
    def fixture(request: pytest.FixtureRequest, harness_run: object) -> Stack:
        return give(request, definition)

    return fixture


def stack_of(
    request: pytest.FixtureRequest, *stack: File | Mapping[str, Any], **settings: Any
) -> Stack:
    """Bring a stack up within a fixture of one's own, which asks for the fixture `harness_run`.

    For plugins of pytest that every run loads: nothing has to be imported before it is wanted.

    Args:
        request: of the fixture; the stack lives as long as the fixture does.
        stack: as `harness_stack` takes it; relative paths start at pytest's root directory.
        settings: the others that `harness_stack` takes, but scope, name and autouse.
    """
    return give(request, define(*stack, directory=request.config.rootpath, **settings))


def give(request: pytest.FixtureRequest, definition: StackDefinition) -> Stack:
    """Bring a stack up for as long as a fixture lives; one that does not come up fails the test.

    There is nothing of the test's author's in the traceback, so it is left out.
    """
    __tracebackhide__ = False  # pytest remarks on a traceback all of which is hidden
    try:
        return provide(request, definition)
    except HarnessError as error:
        lines = [str(error), *getattr(error, "__notes__", ()), f"fixture: {request.fixturename}"]
        raise pytest.fail.Exception("\n".join(lines), pytrace=False) from None


def provide(request: pytest.FixtureRequest, definition: StackDefinition) -> Stack:
    """Bring a stack up for as long as a fixture lives.

    Raises:
        HarnessError: it did not come up; it stays as it is until the failure has been reported.
    """
    session: PytestSession = request.getfixturevalue("harness_run")
    live = session.run.prepare(definition)
    live.fixture = request.fixturename
    # Before it is brought up: one that does not come up is looked at, and then taken down.
    request.addfinalizer(lambda: session.finish(live))
    session.touch(live)
    session.run.bring_up(live)
    return live.stack
