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
    from .schema_workflow import (
        ActionOptions,
        ExecOptions,
        HttpOptions,
        SetOptions,
        SleepOptions,
        TaskOptions,
        UnitsOptions,
        WaitOptions,
    )
    from .source import FILE_NAMES, Source, discover, not_found, search_path
    from .starter import template
    from .stored import StackCodec
    from .templates import ROOTS, Hole, as_text, holes, render
    from .types import ExtraTypes, FindTypes
    from .workflows import read_workflow

__all__ = [
    "FILE_NAMES",
    "ROOTS",
    "ActionOptions",
    "Duration",
    "ExecOptions",
    "ExtraTypes",
    "FindTypes",
    "Hole",
    "HttpOptions",
    "InterpolationSyntaxError",
    "Lookup",
    "Outline",
    "Reference",
    "Report",
    "SetOptions",
    "SleepOptions",
    "Source",
    "StackCodec",
    "TaskOptions",
    "UnitsOptions",
    "Variable",
    "WaitOptions",
    "as_text",
    "declared_name",
    "discover",
    "holes",
    "load",
    "not_found",
    "outline",
    "parse_duration",
    "parse_env_file",
    "parse_size",
    "prepare",
    "read_env_file",
    "read_workflow",
    "references",
    "render",
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
    "Hole": "templates",
    "holes": "templates",
    "as_text": "templates",
    "render": "templates",
    "ROOTS": "templates",
    "read_workflow": "workflows",
    "ActionOptions": "schema_workflow",
    "ExecOptions": "schema_workflow",
    "HttpOptions": "schema_workflow",
    "SetOptions": "schema_workflow",
    "SleepOptions": "schema_workflow",
    "TaskOptions": "schema_workflow",
    "UnitsOptions": "schema_workflow",
    "WaitOptions": "schema_workflow",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
