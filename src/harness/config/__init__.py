"""YAML text to a `StackSpec`: load, include, templates, substitution, schema, places in errors."""

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
from .source import Source, discover
from .template import template

__all__ = [
    "InterpolationSyntaxError",
    "Lookup",
    "Reference",
    "Report",
    "Source",
    "Variable",
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
