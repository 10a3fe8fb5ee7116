"""YAML text to a `StackSpec`: load, include, templates, substitution, schema, places in errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
from .load import Report, load, schema, show, validate
from .source import FILE_NAMES, Source, discover
from .template import template

if TYPE_CHECKING:
    from .stored import StackCodec

__all__ = [
    "FILE_NAMES",
    "InterpolationSyntaxError",
    "Lookup",
    "Reference",
    "Report",
    "Source",
    "StackCodec",
    "Variable",
    "declared_name",
    "discover",
    "load",
    "parse_duration",
    "parse_env_file",
    "parse_size",
    "read_env_file",
    "references",
    "resolve",
    "resolve_text",
    "schema",
    "show",
    "split_words",
    "template",
    "unresolved",
    "validate",
]

if not TYPE_CHECKING:  # a type checker would take every name for one that exists

    def __getattr__(name: str) -> object:
        """Load what needs pydantic only when it is asked for."""
        if name == "StackCodec":
            from .stored import StackCodec

            return StackCodec
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
