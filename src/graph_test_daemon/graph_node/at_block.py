"""Has a whole query answered as of one block, whatever it asks for.

Source: The Graph's GraphQL API, "Time-travel queries": every root field takes `block`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graph_test_daemon.errors import QueryInvalid

if TYPE_CHECKING:
    from graphql.language.ast import FieldNode, Node

__all__ = ["at_block"]


def at_block(text: str, block: int) -> str:
    """Return a query with the block at every root field that does not name one itself.

    Raises:
        QueryInvalid: it is no GraphQL; the message names the place.
    """
    from graphql import GraphQLError, parse, print_ast
    from graphql.language import ast

    try:
        document = parse(text)
    except GraphQLError as error:
        place = error.locations[0] if error.locations else None
        where = "" if place is None else f" at line {place.line}, column {place.column}"
        raise QueryInvalid(f"cannot read the query{where}: {error.message}") from error
    number = ast.ObjectFieldNode(
        name=ast.NameNode(value="number"), value=ast.IntValueNode(value=str(block))
    )
    argument = ast.ArgumentNode(
        name=ast.NameNode(value="block"), value=ast.ObjectValueNode(fields=(number,))
    )

    def with_block(node: ast.Node) -> ast.Node:
        match node:
            case ast.DocumentNode():
                return _changed(node, definitions=tuple(map(with_block, node.definitions)))
            case ast.FragmentDefinitionNode() if node.type_condition.name.value != "Query":
                return node
            case (
                ast.OperationDefinitionNode()
                | ast.FragmentDefinitionNode()
                | ast.InlineFragmentNode()
            ):
                return _changed(node, selection_set=with_block(node.selection_set))
            case ast.SelectionSetNode():
                return _changed(node, selections=tuple(map(with_block, node.selections)))
            case ast.FieldNode() if not _names_its_own(node):
                return _changed(node, arguments=(*(node.arguments or ()), argument))
            case _:
                return node

    return print_ast(with_block(document))


def _names_its_own(field: FieldNode) -> bool:
    """Tell whether a root field has a block already, or is about the schema and takes none."""
    given = [argument.name.value for argument in field.arguments or ()]
    return "block" in given or field.name.value.startswith("__")


def _changed(node: Node, **changes: object) -> Node:
    """Return a copy of a node with other values at some of its keys."""
    return type(node)(**{key: getattr(node, key) for key in node.keys} | changes)
