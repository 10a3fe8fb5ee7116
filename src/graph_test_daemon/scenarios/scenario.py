"""A scenario, built step by step: each call returns a new one, which is a workflow's document.

    playground = Contract("contracts/Playground.json")
    notes = Subgraph("subgraphs/notes", "test/notes", {"Playground": playground.address})
    (
        Scenario("notes")
        .deploy_contract(playground)
        .deploy(notes)
        .send(playground, "store", 1, "hi")
        .query(notes, "{ notes { text } }", expect={"notes": [{"text": "hi"}]})
        .run(graph_stack)
    )

What it does is done by typed actions of the stack, and run by the daemon as any workflow is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .errors import ScenarioInvalid
from .growing import Steps
from .references import Allocation, Contract, File, Handle, Ref, Result, Subgraph
from .steps import Step, here

__all__ = ["Scenario"]

Text = str | Ref[str]
Number = int | Ref[int]
Tokens = int | str | Decimal
"""GRT."""


@dataclass(frozen=True, slots=True)
class Scenario(Steps):
    """Steps over a stack of The Graph."""

    # ── subgraphs ────────────────────────────────────────────────────────────────────────────────

    def build(self, subgraph: Subgraph, *, to: Result | None = None) -> Scenario:
        """Build a subgraph, and deploy nothing; the result is the directory of what was built."""
        return self._network(
            "build-subgraph", to, path=File(str(subgraph.path)), values=dict(subgraph.values)
        )

    def deploy(
        self,
        subgraph: Subgraph,
        *,
        reorgs: bool = False,
        publish: bool = False,
        signal: Tokens = 0,
        wait: bool = True,
        **settings: Any,
    ) -> Scenario:
        """Build a subgraph, deploy it, and wait until it has caught up with the chain.

        Args:
            subgraph: which one.
            reorgs: blocks will be undone; it is refused where graph-node could not follow.
            publish: publish it on the contracts, too.
            signal: GRT that is signalled on what was published.
            wait: until it has caught up.
            settings: the others of the action `deploy-subgraph`.
        """
        given: dict[str, Any] = {"path": File(str(subgraph.path)), "name": subgraph.name}
        said = {
            "values": dict(subgraph.values),
            "reorgs": reorgs,
            "publish": publish,
            "signal": _grt(signal) if signal else None,
        }
        given |= {key: value for key, value in said.items() if value}
        given |= {} if wait else {"wait": False}
        return self._network("deploy-subgraph", subgraph, **given, **settings)

    def wait_for_sync(
        self, subgraph: Subgraph, *, block: Number | None = None, timeout_s: float | None = None
    ) -> Scenario:
        """Wait until a subgraph has indexed the chain up to a block; its head unless given."""
        return self._node(
            "wait-for-sync", None, subgraph=subgraph.name, block=block, timeout_s=timeout_s
        )

    def query(
        self,
        subgraph: Subgraph,
        query: str,
        *,
        expect: Mapping[str, Any] | None = None,
        variables: Mapping[str, Any] | None = None,
        block: Number | None = None,
        ignore: Sequence[str] = (),
        ordered: bool = False,
        wait: bool = True,
        to: Result | None = None,
    ) -> Scenario:
        """Query a subgraph; fail unless it answers what is expected, where that is given.

        Args:
            subgraph: which one.
            query: GraphQL.
            expect: the whole data; lists of objects with an `id` are compared by it.
            variables: of the query, by name.
            block: have it answered as of this one.
            ignore: fields and paths that may differ.
            ordered: the order of lists counts.
            wait: ask when everything up to the chain's head is indexed.
            to: what later steps call the data.
        """
        given = {
            "subgraph": subgraph.name, "query": query, "variables": variables, "block": block,
        }  # fmt: skip
        ready = self.wait_for_sync(subgraph) if wait else self
        if expect is None:
            if ignore or ordered:
                raise ScenarioInvalid("cannot compare an answer with nothing: give it `expect`")
            return ready._node("query", to, **given)
        rules = {"ignore": list(ignore) or None, "ordered": ordered or None}
        return ready._node("check-query", to, **given, expected=expect, **rules)

    def keep_query(
        self,
        name: str,
        subgraph: Subgraph,
        query: str,
        *,
        variables: Mapping[str, Any] | None = None,
        block: Number | None = None,
        replace: bool = False,
    ) -> Scenario:
        """Query a subgraph when it has caught up, and keep the result under a name."""
        return self.wait_for_sync(subgraph)._network(
            "query-snapshot", None, name=name, subgraph=subgraph.name, query=query,
            variables=variables, block=block, replace=replace or None,
        )  # fmt: skip

    def compare_query(
        self,
        name: str,
        *,
        other: str | None = None,
        block: Number | None = None,
        same_block: bool = False,
        ignore: Sequence[str] = (),
        equal: bool = True,
        to: Result | None = None,
    ) -> Scenario:
        """Compare a kept result with what is answered now, or with another kept one.

        Args:
            name: of the kept result.
            other: name of a later one.
            block: have it answered as of this one.
            same_block: as of the block of the kept one.
            ignore: fields and paths that may differ.
            equal: fail unless they are equal; else the comparison is a result only.
            to: what later steps call the comparison.
        """
        return self._network(
            "compare-query", to, name=name, other=other, block=block,
            same_block=same_block or None, ignore=list(ignore) or None, require=equal,
        )  # fmt: skip

    # ── the chain ────────────────────────────────────────────────────────────────────────────────

    def deploy_contract(
        self, contract: Contract, *arguments: Any, sender: Text | None = None, value: int = 0
    ) -> Scenario:
        """Deploy a compiled contract, with the arguments of its constructor."""
        if contract.at is not None:
            raise ScenarioInvalid(
                f'cannot deploy the contract "{contract.step}": it is there already, at '
                f"{contract.at}"
            )
        return self._chain(
            "deploy-contract", contract, artifact=File(str(contract.artifact)),
            arguments=list(arguments), sender=sender, value=value or None,
        )  # fmt: skip

    def send(
        self,
        contract: Contract,
        function: str,
        *arguments: Any,
        times: int = 1,
        sender: Text | None = None,
        value: int = 0,
        to: Result | None = None,
    ) -> Scenario:
        """Call a contract's function in a transaction, or in several with the same arguments."""
        return self.send_each(
            contract, function, [arguments], times=times, sender=sender, value=value, to=to
        )

    def send_each(
        self,
        contract: Contract,
        function: str,
        arguments: Sequence[Sequence[Any] | Ref[Any]] | Ref[Any],
        *,
        times: int = 1,
        sender: Text | None = None,
        value: int = 0,
        to: Result | None = None,
    ) -> Scenario:
        """Call a contract's function in a transaction for each list of arguments.

        Args:
            contract: which one.
            function: its name, or its signature where several have the name.
            arguments: of each transaction; the lists may be what a step has left.
            times: so often the whole list is sent.
            sender: who sends them; the node's first account unless given.
            value: wei with each.
            to: what later steps call the result: {count, first_block, last_block, transactions}.
        """
        lists = _listed(arguments)
        rows = [_listed(each) for each in lists] if isinstance(lists, list) else lists
        return self._chain(
            "send-calls", to, to=contract.address, abi=File(str(contract.artifact)),
            function=function, arguments=rows, sender=sender,
            times=times if times != 1 else None, value=value or None,
        )  # fmt: skip

    def transfer(
        self,
        receiver: Text,
        wei: int,
        *,
        times: int = 1,
        sender: Text | None = None,
        to: Result | None = None,
    ) -> Scenario:
        """Send an address wei, in one transaction or in several."""
        return self._chain("transfer", to, to=receiver, wei=wei, times=times, sender=sender)

    def mine(self, blocks: Number = 1, *, interval: int | None = None) -> Scenario:
        """Mine blocks; `interval`: seconds between their timestamps."""
        return self._chain("mine", None, blocks=blocks, interval=interval)

    def reorg(
        self,
        depth: Number,
        *,
        include: Sequence[Text] | Ref[Any] = (),
        to: Result | None = None,
    ) -> Scenario:
        """Replace the last blocks; go on when graph-node knows the new ones.

        Args:
            depth: how many.
            include: hashes of transactions that are in the new ones, too.
            to: what later steps call the result.
        """
        return self._network("inject-reorg", to, depth=depth, include=_listed(include) or None)

    def verify(self, subgraph: Subgraph, *, to: Result | None = None) -> Scenario:
        """Compare all entities of a subgraph with what its blocks give; fail where one differs."""
        return self._network("verify-subgraph", to, subgraph=subgraph.name)

    # ── the protocol ─────────────────────────────────────────────────────────────────────────────

    def advance_epochs(self, count: int = 1) -> Scenario:
        """Mine until so many epochs have passed, with each one's bookkeeping."""
        return self._network("advance-epoch", None, count=count)

    def stake(self, tokens: Tokens, *, indexer: str | int | None = None) -> Scenario:
        """Put tokens of an indexer at stake, GRT."""
        return self._network("stake", None, tokens=_grt(tokens), indexer=indexer)

    def allocate(
        self,
        allocation: Allocation,
        subgraph: Subgraph,
        tokens: Tokens,
        *,
        indexer: str | int | None = None,
    ) -> Scenario:
        """Allocate staked tokens to a subgraph that the scenario has deployed, GRT."""
        return self._network(
            "allocate", allocation, deployment=subgraph.deployment, tokens=_grt(tokens),
            indexer=indexer,
        )  # fmt: skip

    def close(
        self, allocation: Allocation, *, poi: Text | None = None, to: Result | None = None
    ) -> Scenario:
        """Close an allocation, with graph-node's proof of indexing unless another one is given."""
        return self._network("close-allocation", to, allocation=allocation.id, poi=poi)

    # ── everything else ──────────────────────────────────────────────────────────────────────────

    def action(self, name: str, /, *, to: Result | None = None, **parameters: Any) -> Scenario:
        """Run any action of the stack, such as `chain.increase-time`."""
        return self._action(name, to, parameters)

    def restart(self, *services: str) -> Scenario:
        """Stop services and start them again; go on when they are ready."""
        return self._with(Step(
            verb="restart", label=f"restart_{'_'.join(services)}", target=services, options={},
            place=here(),
        ))  # fmt: skip

    def wait_for(self, service: str, *, deadline: float | str = 60.0) -> Scenario:
        """Wait until a service is healthy."""
        return self._with(Step(
            verb="wait", label=f"wait_for_{service}", target=(service,),
            options={"deadline": deadline}, place=here(),
        ))  # fmt: skip

    def task(self, name: str, *, to: Result | None = None, force: bool = True) -> Scenario:
        """Run a task of the stack, after what it depends on."""
        return self._with(Step(
            verb="task", label=name, name=None if to is None else to.step, target=(name,),
            options={"force": force}, place=here(),
        ))  # fmt: skip

    def parallel(self, *branches: Scenario, limit: int | None = None) -> Scenario:
        """Do the steps of other scenarios side by side, at most `limit` of them at once."""
        if not branches or any(not branch.steps for branch in branches):
            raise ScenarioInvalid("cannot do nothing side by side: each branch has a step")
        return self._with(Step(
            verb="parallel", label="parallel", options={"max": limit}, place=here(),
            branches=tuple(branch.steps for branch in branches),
        ))  # fmt: skip

    def then(self, other: Scenario) -> Scenario:
        """Do another scenario's steps after these."""
        found = self
        for step in other.steps:
            found = found._with(step)
        return found


def _listed(items: Any) -> Any:
    """Return items as a list; what a step leaves stays, to be checked when all is there."""
    return items if isinstance(items, Ref | Handle) else list(items)


def _grt(tokens: Tokens) -> str:
    return str(tokens)
