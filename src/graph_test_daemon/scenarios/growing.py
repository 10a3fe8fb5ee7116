"""What a scenario is, whatever its steps do: a value that grows, and a workflow's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from harness.workflows import Retry, Workflow

from .errors import ScenarioInvalid
from .references import Allocation, Contract, Result, Subgraph
from .steps import Step, built, here, leaves

if TYPE_CHECKING:
    from harness.client import BlockingClient, Client
    from harness.testing import Stack

    from .running import Ran

__all__ = ["Services", "Steps"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the services are called in the stack."""

    chain: str = "chain"
    graph_node: str = "graph-node"
    network: str = "network"


@dataclass(frozen=True, slots=True)
class Steps:
    """What every scenario is, whatever its steps do.

    Attributes:
        name: of the workflow that it is.
        description: free text for people.
        timeout: for all steps together; seconds, or a text such as `5m`.
        services: what the services are called.
        steps: what there is so far.
    """

    name: str = "scenario"
    description: str | None = field(default=None, kw_only=True)
    timeout: float | str | None = field(default=None, kw_only=True)
    services: Services = field(default=Services(), kw_only=True)
    steps: tuple[Step, ...] = field(default=(), kw_only=True)

    def within(self, timeout: float | str) -> Self:
        """Give the last step so long: seconds, or a text such as `10s`."""
        return self._changed_last("within", timeout=timeout)

    def retried(self, retry: Retry | int) -> Self:
        """Try the last step again when it fails, so many times or as told."""
        return self._changed_last("retried", retry=retry)

    # ── what it is ───────────────────────────────────────────────────────────────────────────────

    def workflow(self, *, absolute: bool = False) -> Workflow:
        """Return the workflow that it is.

        Args:
            absolute: make relative paths absolute, from the folder of the Python file.

        Raises:
            ScenarioInvalid: a step uses what no step before it leaves, or a handle for a value.
        """
        return Workflow(
            self.name,
            built(self.steps, absolute=absolute).pieces,
            description=self.description,
            timeout=self.timeout,
        )

    def document(self) -> dict[str, Any]:
        """Return it as it stands under `workflows: {NAME: …}` of a stack file."""
        document = self.workflow().document()
        return {key: value for key, value in document.items() if value not in ({}, [])}

    def as_yaml(self) -> str:
        """Return the part of a stack file that it is."""
        import yaml

        document = {"workflows": {self.name: self.document()}}
        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)

    def run(self, on: Stack | BlockingClient, *, project: str | None = None) -> Ran:
        """Have a stack's daemon run it; return what its steps have left.

        Args:
            on: the stack that is up, or a client.
            project: that it is run over, where a client is given.

        Raises:
            ScenarioFailed: a step has failed; it tells the line that has the step.
        """
        from .running import run

        return run(self, on, project=project)

    async def arun(self, client: Client, *, project: str) -> Ran:
        """Do what `run` does, from an event loop."""
        from .running import run_with

        return await run_with(self, client, project=project)

    # ── parts ────────────────────────────────────────────────────────────────────────────────────

    def _chain(self, name: str, to: Contract | Result | None, /, **parameters: Any) -> Self:
        return self._action(f"{self.services.chain}.{name}", to, parameters)

    def _node(self, name: str, to: Result | None, /, **parameters: Any) -> Self:
        return self._action(f"{self.services.graph_node}.{name}", to, parameters)

    def _network(
        self, name: str, to: Subgraph | Allocation | Result | None, /, **parameters: Any
    ) -> Self:
        return self._action(f"{self.services.network}.{name}", to, parameters)

    def _action(
        self,
        name: str,
        to: Subgraph | Contract | Allocation | Result | None,
        parameters: Mapping[str, Any],
    ) -> Self:
        given = {key: value for key, value in parameters.items() if value is not None}
        return self._with(Step(
            verb="action", label=name.rpartition(".")[2].replace("-", "_"), target=(name,),
            name=None if to is None else to.step, options=given, place=here(),
        ))  # fmt: skip

    def _with(self, step: Step) -> Self:
        """Return it with a step more, whose name no other one has."""
        known = {one.name for one in leaves(self.steps)}
        for new in leaves((step,)):
            if new.name is not None and new.name in known:
                raise ScenarioInvalid(
                    f'cannot add "{new.label}" ({new.place}): a step is called "{new.name}" '
                    "already",
                    hint="a handle is of one step; make another with a name of its own",
                )
            known |= {new.name} if new.name is not None else set()
        return replace(self, steps=(*self.steps, step))

    def _changed_last(self, verb: str, **changes: Any) -> Self:
        if not self.steps:
            raise ScenarioInvalid(f"cannot have `{verb}` of no step: add the step before")
        *before, last = self.steps
        return replace(self, steps=(*before, replace(last, **changes)))
