"""Reads all that a deployment has stored as of a block, of every type of its schema.

What is stored is told by the schema: fields that are derived from others are left out, an entity
that a field stands for is its id, and lists of them are sorted by it. Of an aggregation the
finished intervals are read.

Source: graph-node, docs/aggregations.md, and what its queries take; seen with version 0.45.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graph_test_daemon.errors import GraphError, QueryFailed
from graph_test_daemon.graph_node import GraphNode
from graph_test_daemon.subgraph.schema import Schema, SchemaType
from harness.errors import InvalidParameters
from harness.suggestions import guess

__all__ = ["EntityReader", "Stored"]

_PAGE = 1000
_INDEXING_ERROR = "indexing_error"
_ROOTS = """{ __schema { queryType { fields {
    name type { ofType { kind ofType { ofType { name } } } }
} } } }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Entities that are queried together.

    Attributes:
        name: of the type; of an aggregation with its interval.
        root: the field of queries that lists them.
        arguments: of that field, besides those that page.
        selection: the fields that are asked for.
        lists: those of them that are lists of entities.
    """

    name: str
    root: str
    arguments: str
    selection: str
    lists: tuple[str, ...] = ()


class EntityReader:
    """Reads the entities of deployments that have the same schema.

    Args:
        node: that has them.
        stored: what there is to read.
    """

    def __init__(self, node: GraphNode, stored: Sequence[Stored]) -> None:
        self._node = node
        self.stored = stored

    @classmethod
    async def of(
        cls, node: GraphNode, deployment: str, schema: Schema, *, ignore: Collection[str] = ()
    ) -> EntityReader:
        """Return a reader for a schema.

        Args:
            node: that has the deployments.
            deployment: one of them.
            schema: of all of them.
            ignore: types, and fields as `Type.field`, that are not read.

        Raises:
            InvalidParameters: the schema has no such type or field.
        """
        _check_known(ignore, schema)
        answer = await node.query(deployment, _ROOTS)
        roots: dict[str, str] = {}
        for field in answer["__schema"]["queryType"]["fields"]:
            of = field["type"]["ofType"]
            if of is not None and of["kind"] == "LIST":
                # The first is the list of all; a search for texts comes later.
                roots.setdefault(of["ofType"]["ofType"]["name"], field["name"])
        stored = [
            one
            for found in schema.types.values()
            if found.name in roots and found.is_object and found.name not in ignore
            for one in _stored(found, schema, roots[found.name], ignore)
        ]
        return cls(node, stored)

    async def all(
        self, deployment: str, stored: Stored, block: int
    ) -> dict[str, Mapping[str, Any]]:
        """Return all entities that there are as of a block: id → entity.

        Raises:
            GraphError: one has a list of entities that is longer than graph-node tells.
        """
        found: dict[str, Mapping[str, Any]] = {}
        after = ""
        while True:
            text = (
                f"{{ found: {stored.root}(first: {_PAGE}, orderBy: id, block: {{number: {block}}}, "
                f"subgraphError: allow{stored.arguments}{after}) {{ {stored.selection} }} }}"
            )
            page = (await self._answer(deployment, text))["found"]
            _require_whole_lists(stored, page)
            found |= {one["id"]: one for one in page}
            if len(page) < _PAGE:
                return found
            after = f", where: {{id_gt: {json.dumps(page[-1]['id'])}}}"

    async def _answer(self, deployment: str, text: str) -> Mapping[str, Any]:
        """Query; a deployment with errors that do not stop it answers with one besides the data."""
        try:
            return await self._node.query(deployment, text)
        except QueryFailed as error:
            if error.data is None or set(error.messages) != {_INDEXING_ERROR}:
                raise
            return error.data


def _require_whole_lists(stored: Stored, page: Sequence[Mapping[str, Any]]) -> None:
    for one in page:
        for field in stored.lists:
            if len(one[field] or ()) >= _PAGE:
                raise GraphError(
                    f"cannot compare {stored.name} {one['id']}: graph-node tells of its list "
                    f"{field} no more than the first {_PAGE}",
                    hint=f'leave it out: ignore ["{stored.name}.{field}"]',
                )


def _check_known(ignore: Collection[str], schema: Schema) -> None:
    known = [
        name
        for one in schema.types.values()
        for name in (one.name, *(f"{one.name}.{field}" for field in one.fields))
    ]
    for name in ignore:
        if name not in known:
            raise InvalidParameters(
                f'cannot leave out "{name}": the subgraph\'s schema has no such type or field',
                hint=guess(name, known),
            )


def _stored(found: SchemaType, schema: Schema, root: str, ignore: Collection[str]) -> list[Stored]:
    selection = _selection(found, schema, ignore)
    if found.is_entity:
        return [
            Stored(
                name=found.name,
                root=root,
                arguments="",
                selection=selection,
                lists=_lists(found, schema, ignore),
            )
        ]
    intervals = found.directives.get("aggregation", {}).get("intervals", [])
    return [
        Stored(
            name=f"{found.name} ({interval})",
            root=root,
            arguments=f", interval: {interval}",
            selection=selection,
        )
        for interval in intervals
    ]


def _lists(found: SchemaType, schema: Schema, ignore: Collection[str]) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in found.fields.values()
        if field.type.startswith("[")
        and "derivedFrom" not in field.directives
        and f"{found.name}.{field.name}" not in ignore
        and (other := schema.types.get(field.base)) is not None
        and other.fields
    )


def _selection(found: SchemaType, schema: Schema, ignore: Collection[str]) -> str:
    parts = []
    for field in found.fields.values():
        if "derivedFrom" in field.directives or f"{found.name}.{field.name}" in ignore:
            continue
        other = schema.types.get(field.base)
        if other is None or not other.fields:  # a scalar, or an enum
            parts.append(field.name)
        elif field.type.startswith("["):
            parts.append(f"{field.name}(first: {_PAGE}) {{ id }}")
        else:
            parts.append(f"{field.name} {{ id }}")
    return " ".join(parts if "id" in parts else ["id", *parts])
