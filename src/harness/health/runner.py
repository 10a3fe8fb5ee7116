"""Runs one try of any check, under a deadline, and says in words what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

import anyio

from harness.model import (
    CheckSpec,
    CommandCheck,
    CompositeCheck,
    CompositeMode,
    CustomCheck,
    GraphqlCheck,
    HttpCheck,
    JsonRpcCheck,
    LogCheck,
    TcpCheck,
)

from .command import check_command
from .context import ProbeContext
from .custom import HealthCheck, ask, question_of
from .log_watch import LogWatch
from .result import CheckResult, Outcome, excerpt
from .tcp import check_tcp

if TYPE_CHECKING:
    from .http import HttpProber

__all__ = ["CheckRunner", "describe", "question"]

_Question = (
    HttpCheck | TcpCheck | CommandCheck | JsonRpcCheck | GraphqlCheck | CustomCheck | CompositeCheck
)
_USERINFO = re.compile(r"//[^/@\s]*@")


class CheckRunner:
    """Runs checks for the whole daemon, as many at the same time as asked for.

    Args:
        custom: those that plugins bring, by name; more may come while it is used.
    """

    def __init__(self, custom: Mapping[str, HealthCheck] = MappingProxyType({})) -> None:
        self.custom = custom

    @cached_property
    def _http(self) -> HttpProber:
        # Loaded with the first such check: many stacks have none.
        from .http import HttpProber

        return HttpProber()

    async def run(
        self,
        check: CheckSpec,
        *,
        context: ProbeContext,
        timeout_s: float,
        logs: LogWatch | None = None,
    ) -> CheckResult:
        """Try a check once; after `timeout_s` seconds it is cancelled and has failed.

        Args:
            check: all `${…}` resolved.
            context: the unit's place and output.
            timeout_s: for the whole check, all its parts together.
            logs: answers the log checks in `check` by what was read so far; None: the output is
                read from its start until the line appears.
        """
        began = anyio.current_time()
        passed, message = await self._limited(check, context, timeout_s, logs)
        latency_s = anyio.current_time() - began
        return CheckResult(ok=passed, message=message, latency_s=latency_s)

    async def _limited(
        self, check: CheckSpec, context: ProbeContext, timeout_s: float, logs: LogWatch | None
    ) -> Outcome:
        if isinstance(check, LogCheck):
            return await _check_log(check, context, timeout_s, logs)
        with anyio.move_on_after(timeout_s):
            return await self._once(check, context, timeout_s, logs)
        return False, f"no answer within {timeout_s:.3g} s"

    async def _once(
        self,
        check: _Question,
        context: ProbeContext,
        timeout_s: float,
        logs: LogWatch | None,
    ) -> Outcome:
        match check:
            case HttpCheck():
                return await self._http.check_http(check)
            case TcpCheck():
                return await check_tcp(check)
            case CommandCheck():
                return await check_command(check, context=context, timeout_s=timeout_s)
            case JsonRpcCheck():
                return await self._http.check_jsonrpc(check)
            case GraphqlCheck():
                return await self._http.check_graphql(check)
            case CustomCheck():
                return await ask(check, self.custom, context)
            case CompositeCheck():
                return await self._composite(check, context, timeout_s, logs)
            case _:
                assert_never(check)

    async def _composite(
        self, check: CompositeCheck, context: ProbeContext, timeout_s: float, logs: LogWatch | None
    ) -> Outcome:
        """Try the parts in order; in ANY one that hangs gets its share of the time, not all."""
        deadline = anyio.current_time() + timeout_s
        is_any = check.mode is CompositeMode.ANY
        outcome: Outcome = (not is_any, "there are no checks")
        messages: list[str] = []
        for index, part in enumerate(check.checks):
            left_s = deadline - anyio.current_time()
            share_s = left_s / (len(check.checks) - index) if is_any else left_s
            passed, message = await self._limited(part, context, share_s, logs)
            text = f"{describe(part)}: {message}"
            if passed is is_any:
                return passed, text
            messages.append(text)
            outcome = passed, "; ".join(messages)
        return outcome


async def _check_log(
    check: LogCheck, context: ProbeContext, timeout_s: float, logs: LogWatch | None
) -> Outcome:
    if logs is not None:
        return logs.outcome(check)
    watch = LogWatch([check])
    with anyio.move_on_after(timeout_s):
        await watch.follow(context)
    return watch.outcome(check)


def describe(check: CheckSpec) -> str:
    """Name a check in a few words, without credentials: `http GET http://127.0.0.1:80/`."""
    if isinstance(check, CommandCheck):
        # Arguments may hold a secret.
        return f"command {PurePosixPath(check.argv[0]).name if check.argv else ''}"
    if isinstance(check, CustomCheck):
        return check.kind  # so may options
    return excerpt(question(check))


def question(check: CheckSpec) -> str:
    """Return all that a check asks, with the arguments of a command.

    A secret in it is whole, so that it can be masked: nothing is cut or quoted, and it may have
    several lines.
    """
    match check:
        case HttpCheck():
            return f"http {check.method} {_public(check.url)}"
        case TcpCheck():
            return f"tcp {check.host}:{check.port}"
        case CommandCheck():
            return f"command {' '.join(check.argv)}"
        case JsonRpcCheck():
            return f"jsonrpc {check.method} at {_public(check.url)}"
        case GraphqlCheck():
            return f"graphql at {_public(check.url)}"
        case LogCheck():
            return f"log /{check.pattern}/"
        case CustomCheck():
            return question_of(check)
        case CompositeCheck():
            return f"{check.mode} of {len(check.checks)}"
        case _:
            assert_never(check)


def _public(url: str) -> str:
    return _USERINFO.sub("//", url)
