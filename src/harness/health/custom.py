"""Health checks that others bring: their contract, and how one is asked."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar

from harness.errors import HarnessError
from harness.model import CustomCheck, HealthSpec, single_checks

from .causes import cause_of
from .context import ProbeContext
from .result import Outcome, excerpt

__all__ = ["HealthCheck", "ask", "question_of", "without_absent"]

logger = logging.getLogger(__name__)

_MESSAGE_BYTES = 500


class HealthCheck(ABC):
    """A kind of health check; stack files name it below `custom`.

    One instance serves the whole daemon: it is made without arguments, and asked about many units
    at the same time.

    Attributes:
        name: what stack files call it.
        options: frozen dataclass of what can be said in the stack file. Its texts may hold `${…}`,
            which are resolved when the check is made; other types are needed before a unit runs.
    """

    name: ClassVar[str]
    options: ClassVar[type]

    @abstractmethod
    async def check(self, options: Any, context: ProbeContext) -> Outcome:
        """Try once: return whether it passes, and in a few words what was seen.

        It is cancelled when its probe's timeout is over. What it raises is a failed try with the
        error's text.

        Args:
            options: instance of the check's options type, all `${…}` resolved.
            context: the unit's place and output.
        """


async def ask(
    check: CustomCheck, known: Mapping[str, HealthCheck], context: ProbeContext
) -> Outcome:
    """Try a check once; whatever it does, the answer is one that a table can show."""
    asked = known.get(check.kind)
    if asked is None:
        return False, f'no plugin brings the check "{check.kind}"'
    try:
        passed, message = await asked.check(check.options, context)
    except (HarnessError, OSError) as error:
        text = str(error) if isinstance(error, HarnessError) else cause_of(error)
        return False, excerpt(text, _MESSAGE_BYTES)
    except (Exception, SystemExit) as error:  # a guard: somebody else's code, which may do anything
        logger.exception("Cannot ask the health check %s", check.kind)
        text = f"the check is broken: {type(error).__name__}: {error}"
        return False, excerpt(text, _MESSAGE_BYTES)
    return bool(passed), excerpt(str(message), _MESSAGE_BYTES)


def question_of(check: CustomCheck) -> str:
    """Return all that a check asks; a secret in it is whole, so that it can be masked."""
    options = check.options
    parts = (f"{field.name}={getattr(options, field.name)}" for field in fields(options))
    return " ".join((check.kind, *parts))


def without_absent(spec: HealthSpec, known: Mapping[str, HealthCheck]) -> HealthSpec:
    """Return the checks of a run without a liveness that nobody here can try.

    A plugin that is away for a while must not get a service that runs well restarted.
    """
    live = spec.liveness
    checks = single_checks(live.check) if live is not None else ()
    if all(check.kind in known for check in checks if isinstance(check, CustomCheck)):
        return spec
    return HealthSpec(stages=spec.stages)
