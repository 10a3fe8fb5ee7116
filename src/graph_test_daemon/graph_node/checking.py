"""An action that asks a subgraph, and fails unless it answers as it is to."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from harness.actions import ServiceType, action

from .at_block import at_block
from .node import GraphNode

__all__ = ["CheckedQueries"]


class CheckedQueries(ServiceType):
    """Queries whose result is known before."""

    @property
    @abstractmethod
    def node(self) -> GraphNode:
        """The node where it is now."""

    @action()
    async def check_query(
        self,
        subgraph: str,
        query: str,
        expected: Mapping[str, Any],
        variables: Mapping[str, Any] | None = None,
        block: int | None = None,
        ignore: Sequence[str] = (),
        ordered: bool = False,
        numeric_text: bool = False,
    ) -> dict[str, Any]:
        """Query a subgraph; return the data, and fail where they are not as expected.

        Lists of objects that have an `id` are compared by it, in whatever order.

        Args:
            subgraph: its name, or the id of a deployment.
            query: GraphQL.
            expected: the whole data.
            variables: of the query, by name.
            block: have it answered as of this block; the newest that is indexed unless given.
            ignore: fields and paths, such as `_meta`, `*.blockNumber` or `tokens[id=0x1].balance`;
                a name alone is that field wherever it is.
            ordered: the order of lists counts.
            numeric_text: texts such as "1" and "1.0" are the numbers that they say.
        """
        # What is remembered of a stack stands on the node; its rules for comparing do not.
        from graph_test_daemon.tracking import Comparison, ResultsDiffer, Rules, compare

        text = query if block is None else at_block(query, block)
        answer = await self.node.query(subgraph, text, variables)
        rules = Rules(ignore=tuple(ignore), ordered=ordered, numeric_text=numeric_text)
        found = Comparison.of(compare(dict(expected), answer, rules))
        if not found.equal:
            raise ResultsDiffer(
                name="what is expected",
                other=f"what {subgraph} answers",
                count=found.count,
                summary=found.summary,
            )
        return answer
