"""The texts that authors write below the fields of a class, in its source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from itertools import pairwise

__all__ = ["attribute_texts"]


def attribute_texts(of: type) -> dict[str, str]:
    """Return field → the text below it, of a class and those that it derives from.

    A class whose source is not there has none.
    """
    found: dict[str, str] = {}
    for base in reversed(of.__mro__):
        try:
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        except (OSError, TypeError, SyntaxError, ValueError):
            continue
        for field, below in pairwise(tree.body if isinstance(tree, ast.ClassDef) else ()):
            match field, below:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(text))),
                ):
                    found[name] = inspect.cleandoc(text)
                case _:
                    pass
    return found
