"""A subgraph's GraphQL schema: its types with their directives and fields, and where each is.

Source: graphql-core for the language; graph-node, docs/aggregations.md, for what it means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .document import Place

if TYPE_CHECKING:
    from graphql.language import ast

__all__ = ["SCALARS", "Field", "Schema", "SchemaType", "SchemaUnreadable", "read_schema"]

SCALARS = (
    *("ID", "Bytes", "String", "Boolean", "Int", "Int8"),
    *("BigInt", "BigDecimal", "Timestamp", "Float"),
)

Directives = Mapping[str, Mapping[str, Any]]
"""Name → argument → value: texts, booleans, lists; what is none of these as it is written."""


class SchemaUnreadable(ValueError):
    """A text is no schema; the message says why not.

    Attributes:
        place: where it ceases to be one.
    """

    def __init__(self, cause: str, place: Place) -> None:
        self.place = place
        super().__init__(cause)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a type.

    Attributes:
        name: of it.
        type: as it is written, such as `[Int!]!`.
        directives: on it.
        place: of its name.
    """

    name: str
    type: str
    directives: Directives
    place: Place

    @property
    def base(self) -> str:
        """Name of the type without lists and exclamation marks."""
        return self.type.strip("[]!")


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaType:
    """A type of the schema.

    Attributes:
        is_object: it is a type with fields of its own, no interface, enum, union or scalar.
        name: of it.
        directives: on it.
        fields: by name, in order.
        place: of its name.
    """

    is_object: bool
    name: str
    directives: Directives
    fields: Mapping[str, Field]
    place: Place

    @property
    def is_entity(self) -> bool:
        """It is stored."""
        return "entity" in self.directives

    @property
    def is_timeseries(self) -> bool:
        """It is stored point by point, for aggregations."""
        return self.directives.get("entity", {}).get("timeseries") is True

    @property
    def is_immutable(self) -> bool:
        """What is stored of it never changes; so is every time series."""
        return self.is_timeseries or self.directives.get("entity", {}).get("immutable") is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """A schema: its types by name, in order."""

    types: Mapping[str, SchemaType]

    @property
    def entities(self) -> tuple[SchemaType, ...]:
        """The types that are stored."""
        return tuple(each for each in self.types.values() if each.is_entity)


def read_schema(text: str) -> Schema:
    """Read a schema's text.

    Raises:
        SchemaUnreadable: it is none.
    """
    from graphql import GraphQLSyntaxError
    from graphql.language import TypeDefinitionNode, parse

    try:
        document = parse(text)
    except GraphQLSyntaxError as error:
        where = error.locations[0] if error.locations else None
        place = Place(line=where.line, column=where.column) if where else Place(line=1, column=1)
        raise SchemaUnreadable(error.message, place) from error
    types = (_type(node) for node in document.definitions if isinstance(node, TypeDefinitionNode))
    return Schema(types={each.name: each for each in types})


def _type(node: ast.TypeDefinitionNode) -> SchemaType:
    fields = (_field(each) for each in getattr(node, "fields", None) or ())
    return SchemaType(
        is_object=node.kind == "object_type_definition",
        name=node.name.value,
        directives=_directives(node.directives or ()),
        fields={each.name: each for each in fields},
        place=_place(node.name),
    )


def _field(node: ast.FieldDefinitionNode) -> Field:
    from graphql.language import print_ast

    return Field(
        name=node.name.value,
        type=print_ast(node.type),
        directives=_directives(node.directives or ()),
        place=_place(node.name),
    )


def _directives(nodes: Sequence[ast.ConstDirectiveNode]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for node in nodes:
        given = {each.name.value: _value(each.value) for each in node.arguments or ()}
        found.setdefault(node.name.value, {}).update(given)
    return found


def _value(node: ast.ValueNode) -> Any:
    from graphql.language import BooleanValueNode, ListValueNode, StringValueNode, print_ast

    if isinstance(node, ListValueNode):
        return [_value(each) for each in node.values]
    if isinstance(node, StringValueNode | BooleanValueNode):
        return node.value
    return print_ast(node)


def _place(node: ast.NameNode) -> Place:
    token = None if node.loc is None else node.loc.start_token
    return Place(line=1, column=1) if token is None else Place(line=token.line, column=token.column)
