"""YAML text to a `StackSpec`: load, include, templates, substitution, schema, places in errors.

Each part is loaded when it is first asked for: who only looks for a file, or for the names in it,
waits for nothing else. Three functions are called as the modules they are in, so nothing in this
folder may import those modules: the name would stand for the module.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .declared import declared_name
    from .duration import parse_duration, parse_size
    from .env_file import parse_env_file, read_env_file
    from .interpolate import (
        InterpolationSyntaxError,
        Lookup,
        Reference,
        Variable,
        references,
        resolve,
        resolve_text,
        split_words,
        unresolved,
    )
    from .load import Report, load, prepare, schema, show, validate
    from .outline import Outline, outline
    from .source import FILE_NAMES, Source, discover, not_found, search_path
    from .stored import StackCodec
    from .template import template

__all__ = [
    "FILE_NAMES",
    "InterpolationSyntaxError",
    "Lookup",
    "Outline",
    "Reference",
    "Report",
    "Source",
    "StackCodec",
    "Variable",
    "declared_name",
    "discover",
    "load",
    "not_found",
    "outline",
    "parse_duration",
    "parse_env_file",
    "parse_size",
    "prepare",
    "read_env_file",
    "references",
    "resolve",
    "resolve_text",
    "schema",
    "search_path",
    "show",
    "split_words",
    "template",
    "unresolved",
    "validate",
]

_PLACES = {
    "declared_name": "declared",
    "parse_duration": "duration",
    "parse_size": "duration",
    "parse_env_file": "env_file",
    "read_env_file": "env_file",
    "InterpolationSyntaxError": "interpolate",
    "Lookup": "interpolate",
    "Reference": "interpolate",
    "Variable": "interpolate",
    "references": "interpolate",
    "resolve": "interpolate",
    "resolve_text": "interpolate",
    "split_words": "interpolate",
    "unresolved": "interpolate",
    "Report": "load",
    "load": "load",
    "prepare": "load",
    "schema": "load",
    "show": "load",
    "validate": "load",
    "Outline": "outline",
    "outline": "outline",
    "FILE_NAMES": "source",
    "Source": "source",
    "discover": "source",
    "not_found": "source",
    "search_path": "source",
    "StackCodec": "stored",
    "template": "template",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists

    def __getattr__(name: str) -> object:
        """Load the module that a name is in, and keep all names that are in it."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f".{_PLACES[name]}", __name__)
        # Importing it has bound the module's own name, which may be one of a function, too.
        for other, place in _PLACES.items():
            if place == _PLACES[name]:
                globals()[other] = getattr(module, other)
        return globals()[name]
