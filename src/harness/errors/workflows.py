"""What goes wrong with workflows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .running import OperationError

__all__ = ["WorkflowFailed", "WorkflowNotFound", "WorkflowStepFailed", "WorkflowTimeout"]


class WorkflowNotFound(OperationError, LookupError):
    """No workflow, or no run of one, is called so."""

    kind = "workflow-not-found"


class WorkflowStepFailed(OperationError):
    """A step of a workflow did not do what it was to do."""

    kind = "workflow-step-failed"


class WorkflowFailed(OperationError):
    """A workflow did not come to its end.

    Attributes:
        workflow: its name.
        step: path of the step that failed; None: it was none of them.
        compensated: paths of what was undone, in that order.
        left: paths of what could not be undone.
    """

    kind = "workflow-failed"
    facts = ("workflow", "step", "compensated", "left")

    def __init__(
        self,
        *,
        workflow: str,
        cause: str,
        step: str | None = None,
        compensated: Sequence[str] = (),
        left: Sequence[str] = (),
        leftover: str | None = None,
        hint: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        self.workflow = workflow
        self.step = step
        self.compensated = tuple(compensated)
        self.left = tuple(left)
        what = f'step "{step}" failed: {cause}' if step else cause
        lines = [f'cannot finish workflow "{workflow}": {what}']
        if compensated:
            lines.append(f"compensated: {', '.join(compensated)}")
        if left:
            lines.append(f"could not be compensated: {', '.join(left)}")
        if leftover:
            lines.append(f"`finally` failed, too: {leftover}")
        super().__init__("\n".join(lines), hint=hint, details=details)


class WorkflowTimeout(WorkflowFailed):
    """A workflow took longer than it may; what it had done was compensated."""

    kind = "workflow-timeout"
