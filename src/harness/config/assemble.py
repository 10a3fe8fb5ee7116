"""Files to one tree: read, include, override, and gather the variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import ConfigSyntaxError

from .dialects import normalise
from .env_file import read_env_file
from .nodes import Map, Mark, Node, Scalar, Seq, merge
from .problems import Problems, Site
from .source import FILE_NAMES, OVERRIDE_NAME, Source, discover, is_trusted, not_found
from .static import StaticLookup, resolve_scalar
from .yaml12 import parse_yaml

__all__ = ["Assembled", "assemble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """The merged tree and what was read with it.

    Attributes:
        root: units are in one dialect, `extends` is not applied yet.
        files: every stack file, main ones first, then included ones.
        env_values: name → value from the stack's env files.
        variables: name → value from `variables`, resolved.
    """

    root: Map
    files: tuple[str, ...]
    env_values: Mapping[str, str]
    variables: Mapping[str, str]


def assemble(source: Source, problems: Problems) -> Assembled | None:
    """Read everything a source names; None when no tree could be made, with the reasons noted."""
    if any("\0" in path for path in (*source.files, source.directory)):
        message = "a path holds a NUL character, which no file's name has"
        problems.add(Mark(file="command line", line=0), (), ConfigSyntaxError.kind, message)
        return None
    files = source.files or discover(source.directory)
    if not files:
        problems.add(
            Mark(file=os.path.join(source.directory, FILE_NAMES[0])), (), ConfigSyntaxError.kind,
            not_found(source.directory), "`harness init` writes one; -f names another",
        )  # fmt: skip
        return None
    reader = _Reader(source, problems)
    beside = os.path.dirname(os.path.abspath(files[0]))
    if not source.files:
        reader.may_read(os.path.join(beside, OVERRIDE_NAME))
    root: Node | None = None
    for file in files:
        tree = reader.read(os.path.abspath(file), ())
        if tree is not None:
            root = tree if root is None else merge(root, tree)
    if not isinstance(root, Map):
        return None
    if not reader.has_env_file:
        reader.default_env_file(beside)
    main = tuple(os.path.abspath(file) for file in files)
    return Assembled(
        root=root,
        files=tuple(dict.fromkeys((*main, *reader.files))),
        env_values=reader.env_values,
        variables=_variables(root, source, reader.env_values, problems),
    )


class _Reader:
    """Reads files and what they include."""

    def __init__(self, source: Source, problems: Problems) -> None:
        self._source = source
        self._problems = problems
        self.files: list[str] = []
        self.env_values: dict[str, str] = {}
        self.has_env_file = False

    def read(self, path: str, chain: tuple[str, ...]) -> Map | None:
        """Read one file and what it includes; the file itself lies over what it includes."""
        text = self._text(path)
        if text is None:
            return None
        self.files.append(path)
        try:
            tree, found = parse_yaml(text, file=path)
        except ConfigSyntaxError as error:
            self._problems.extend(error.problems)
            return None
        self._problems.extend(found)
        if not isinstance(tree, Map):
            mark = Mark(file=path) if tree is None else tree.mark
            what = "it is empty" if tree is None else "a stack must be a map"
            self._problems.add(mark, (), "config-type", what, "see `harness init`")
            return None
        site = Site(problems=self._problems, root=tree)
        tree = normalise(tree, site)
        result: Node = tree.without("include")
        self._read_env_files(tree, site)
        included = self._includes(tree, site, path, (*chain, path))
        return _over(included, result)

    def _includes(self, tree: Map, site: Site, path: str, chain: tuple[str, ...]) -> Map | None:
        merged: Node | None = None
        for mark, other in self._paths(tree.get("include"), site.at("include"), path):
            if other in chain:
                names = [os.path.basename(file) for file in (*chain[chain.index(other) :], other)]
                self._problems.add(
                    mark, ("include",), "config-cycle",
                    f"the files include one another: {' → '.join(names)}",
                )  # fmt: skip
                continue
            if not os.path.isfile(other):
                message = f"there is no file {other}"
                self._problems.add(mark, ("include",), ConfigSyntaxError.kind, message)
                continue
            part = self.read(other, chain)
            if part is not None:
                merged = part if merged is None else merge(merged, part)
        return merged if isinstance(merged, Map) else None

    def _read_env_files(self, tree: Map, site: Site) -> None:
        node = tree.get("env_file")
        if node is None:
            return
        self.has_env_file = True
        for mark, path in self._paths(node, site.at("env_file"), tree.mark.file):
            try:
                self.env_values.update(read_env_file(path))
            except ConfigSyntaxError as error:
                if os.path.isfile(path):
                    self._problems.extend(error.problems)
                else:
                    message = f"there is no file {path}"
                    self._problems.add(mark, ("env_file",), ConfigSyntaxError.kind, message)

    def may_read(self, path: str) -> bool:
        """Tell whether a file beside the first one is there to be read; warn when it is not ours.

        Where the user named the stack file, what is beside it is trusted as it is.
        """
        if not os.path.isfile(path):
            return False
        if self._source.files or is_trusted(path, self._source.directory):
            return True
        self._problems.add(
            Mark(file=path), (), "config-untrusted-file",
            "is left out: it belongs to another user", "name the files with -f to use it",
            warning=True,
        )  # fmt: skip
        return False

    def default_env_file(self, directory: str) -> None:
        """Read the `.env` beside the first file, where there is one."""
        path = os.path.join(directory, ".env")
        if self.may_read(path):
            try:
                self.env_values.update(read_env_file(path))
            except ConfigSyntaxError as error:
                self._problems.extend(error.problems)

    def _paths(self, node: Node | None, site: Site, file: str) -> list[tuple[Mark, str]]:
        """Return the paths a text or list of texts names, relative to the file that says it."""
        items = node.items if isinstance(node, Seq) else (node,) if node is not None else ()
        paths = []
        for item in items:
            if not isinstance(item, Scalar) or not isinstance(item.value, str):
                self._problems.add(item.mark, site.path, "config-type", "must be a file's path")
                continue
            resolved = resolve_scalar(item, site, StaticLookup(self._source.env, self.env_values))
            if resolved is not None:
                directory = os.path.dirname(file)
                paths.append((item.mark, os.path.normpath(os.path.join(directory, resolved.text))))
        return paths

    def _text(self, path: str) -> str | None:
        try:
            with open(path, encoding="utf-8-sig") as file:
                return file.read()
        except OSError as error:
            what = f"cannot read it: {error.strerror}"
        except UnicodeDecodeError as error:
            what = f"it is not UTF-8 text: {error.reason} at byte {error.start}"
        self._problems.add(Mark(file=path), (), ConfigSyntaxError.kind, what)
        return None


def _over(included: Map | None, tree: Node) -> Map | None:
    result = tree if included is None else merge(included, tree)
    return result if isinstance(result, Map) else None


def _variables(
    root: Map, source: Source, env_values: Mapping[str, str], problems: Problems
) -> dict[str, str]:
    """Resolve `variables`, each with those above it; the environment outranks them all."""
    node = root.get("variables")
    values: dict[str, str] = {}
    if not isinstance(node, Map):
        return values
    lookup = StaticLookup(source.env, env_values, values)
    for name, entry in node.entries.items():
        if isinstance(entry.node, Scalar) and entry.node.value is not None:
            site = Site(problems=problems, root=root, path=("variables", name))
            resolved = resolve_scalar(entry.node, site, lookup)
            values[name] = "" if resolved is None else resolved.text
    return values
