"""YAML text to a `StackSpec`: load, include, templates, substitution, schema, places in errors.

Each part is loaded when it is first asked for: who only looks for a file, or for the names in it,
waits for nothing else. No module is called as something that this folder exports.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

if TYPE_CHECKING:
    from .declared import declared_name
    from .duration import parse_duration, parse_size
    from .env_file import parse_env_file, read_env_file
    from .grammar import (
        InterpolationSyntaxError,
        Reference,
        Variable,
        references,
        split_words,
    )
    from .interpolate import Lookup, resolve, resolve_text, unresolved
    from .loading import Report, load, prepare, schema, show, validate
    from .outlines import Outline, outline
    from .schema_health import Duration
    from .source import FILE_NAMES, Source, discover, not_found, search_path
    from .starter import template
    from .stored import StackCodec
    from .types import ExtraTypes, FindTypes

__all__ = [
    "FILE_NAMES",
    "Duration",
    "ExtraTypes",
    "FindTypes",
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
    "InterpolationSyntaxError": "grammar",
    "Lookup": "interpolate",
    "Reference": "grammar",
    "Variable": "grammar",
    "references": "grammar",
    "resolve": "interpolate",
    "resolve_text": "interpolate",
    "split_words": "grammar",
    "unresolved": "interpolate",
    "Report": "loading",
    "load": "loading",
    "prepare": "loading",
    "schema": "loading",
    "show": "loading",
    "validate": "loading",
    "Outline": "outlines",
    "outline": "outlines",
    "FILE_NAMES": "source",
    "Duration": "schema_health",
    "ExtraTypes": "types",
    "FindTypes": "types",
    "Source": "source",
    "discover": "source",
    "not_found": "source",
    "search_path": "source",
    "StackCodec": "stored",
    "template": "starter",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
