"""What goes wrong with a scenario, told with the line of Python that has the step.

GraphError
├─ ScenarioInvalid
└─ ScenarioFailed (scenario, step, place)
"""

from __future__ import annotations

from collections.abc import Sequence

from graph_test_daemon.errors import GraphError

__all__ = ["ScenarioFailed", "ScenarioInvalid"]


class ScenarioInvalid(GraphError):
    """A scenario says what it cannot mean; nothing was run."""

    kind = "scenario-invalid"


class ScenarioFailed(GraphError):
    """A step of a scenario failed.

    Attributes:
        scenario: its name.
        step: the name of the step; None: it was none of them.
        place: `file:line` of the Python code that has the step; None: likewise.
    """

    kind = "scenario-failed"
    facts = ("scenario", "step", "place")

    def __init__(
        self,
        *,
        scenario: str,
        cause: str,
        step: str | None = None,
        place: str | None = None,
        steps: Sequence[str] = (),
        hint: str | None = None,
    ) -> None:
        self.scenario = scenario
        self.step = step
        self.place = place
        what = cause if step is None else f'step "{step}" ({place}) failed: {cause}'
        text = "\n".join([f'cannot finish scenario "{scenario}": {what}', *steps])
        details = {"scenario": scenario, "step": step, "place": place}
        super().__init__(text, hint=hint, details=details)
