"""The action that proves that a subgraph has kept nothing of blocks that are not on the chain."""

from __future__ import annotations

from graph_test_daemon.network.base import NetworkBase
from graph_test_daemon.subgraph.place import place_of
from graph_test_daemon.verification.verifying import (
    BlockCompared,
    VerifiedSubgraph,
    verify_subgraph,
)
from harness.actions import Call, action

__all__ = ["VerificationActions"]


class VerificationActions(NetworkBase):
    """Subgraphs compared with what the chain's blocks give."""

    @action(events=[BlockCompared])
    async def verify_subgraph(
        self,
        call: Call,
        subgraph: str,
        blocks: list[int] | None = None,
        ignore: list[str] | None = None,
        require: bool = True,
        timeout_s: float = 120.0,
    ) -> VerifiedSubgraph:
        """Compare a subgraph with a fresh deployment of the same manifest; fail if they differ.

        All entities are compared as of several blocks, besides the hashes of these blocks, whether
        graph-node gives proofs of indexing for them, and how many entities there are. The fresh
        deployment is removed again.

        Args:
            subgraph: its name, or the id of a deployment.
            blocks: heights besides the newest one; the ten before it unless given.
            ignore: types, and fields as `Type.field`, that are not compared.
            require: fail if anything differs; otherwise `ok` in the result tells.
            timeout_s: how long each of the two may take to index what there is.
        """
        async with place_of(self.service) as place:
            found = await verify_subgraph(
                place,
                self.chain,
                subgraph,
                blocks=blocks,
                ignore=ignore or (),
                timeout_s=timeout_s,
                tell=call.emit,
                log=self.node_log,
            )
        if require:
            found.require()
        return found
