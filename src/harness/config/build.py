"""Source to stack: every step in order, every problem collected on the way."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from harness.model import (
    SecretSpec,
    Settings,
    StackSpec,
    UnitKind,
    UnitSpec,
    WorkflowDocument,
)

from .assemble import Assembled, assemble
from .convert_custom import CustomChecks
from .convert_secret import convert_secret
from .convert_unit import Names, UnitFacts, convert_unit
from .cross_check import cross_check
from .declared import project_slug
from .dialects import UNIT_GROUPS
from .inherit import inherit
from .links import World, link
from .missing_files import missing_files
from .nodes import Map, Mark, Scalar, Seq, put
from .options import likely_type, options, part, type_name
from .problems import Problems, Site, did_you_mean
from .schema_check import adapter, check, field_names
from .schema_raw import RawService, RawSettings, RawStack, RawTask, RawUnit
from .source import Source
from .static import StaticLookup, resolve_node, resolve_scalar
from .types import Types
from .workflow_names import KnownNames

__all__ = ["Built", "build", "prepare", "project_name"]

_VERSIONS = ("1", "1.0")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_PROJECT = re.compile(r"[a-z0-9][a-z0-9_-]*")
_RESERVED = ("project", "secrets", "tasks")
_COMMAND_LINE = Mark(file="command line", line=0)
_TYPED = "typed"  # of tasks that have a task_type
_STATIC_KEYS = ("type", "profiles", "depends_on", "network", "ports")
_REFUSED = {
    "nodes": ("no type of unit available here runs on another machine", "run units on this one"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What came out.

    Attributes:
        problems: everything wrong, and the warnings.
        stack: the stack; meaningful only without errors.
        root: the merged tree, or None when there was none.
        assembled: what was read.
    """

    problems: Problems
    stack: StackSpec | None = None
    root: Map | None = None
    assembled: Assembled | None = None


def build(source: Source, types: Types) -> Built:
    """Read, merge, check and convert a stack."""
    problems = Problems(source.directory)
    assembled = assemble(source, problems)
    if assembled is None:
        return Built(problems=problems)
    site = Site(problems=problems, root=assembled.root)
    root = inherit(assembled.root, site)
    builder = _Builder(source, types, problems, assembled, root)
    stack = builder.stack()
    return Built(problems=problems, stack=stack, root=builder.root, assembled=assembled)


def prepare(executors: Mapping[str, type]) -> None:
    """Make the validators of the top level, of units, and of the executors' options."""
    for type_ in (RawStack, RawService, RawTask, *executors.values()):
        adapter(type_)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A unit on its way."""

    name: str
    kind: UnitKind
    path: tuple[str, str]
    node: Map


class _Builder:
    def __init__(
        self,
        source: Source,
        types: Types,
        problems: Problems,
        assembled: Assembled,
        root: Map,
    ) -> None:
        self._source = source
        self._types = types
        self._problems = problems
        self._assembled = assembled
        self.root = root
        layers = (source.env, assembled.env_values, assembled.variables)
        self._name = project_name(source, root, StaticLookup(*layers), problems)
        self._lookup = StaticLookup(*layers, project=self._name)

    @property
    def _site(self) -> Site:
        return Site(problems=self._problems, root=self.root)

    def stack(self) -> StackSpec | None:
        raw = self._top_level()
        settings = raw.settings if raw else RawSettings()
        drafts = self._drafts()
        names = self._names(drafts, raw)
        self._types.want(_type_names(drafts, names))
        units: dict[str, UnitSpec] = {}
        damaged: dict[str, Map] = {}
        for draft in drafts:
            before = self._problems.count
            unit = self._unit(draft, names, settings, raw)
            if unit is not None and draft.name not in names.inactive:
                units[draft.name] = unit
            if self._problems.count > before:
                damaged[draft.name] = draft.node
        secrets = self.root.get("secrets")
        world = World(
            units=units,
            names=names,
            damaged=damaged,
            executors=self._types.executors,
            secrets=tuple(secrets.entries) if isinstance(secrets, Map) else (),
            lookup=self._lookup,
        )
        for draft in drafts:
            if draft.name in units:
                node = draft.node.without(*_STATIC_KEYS)
                site = self._site.at(*draft.path)
                units[draft.name] = link(units[draft.name], node, site, world)
        cross_check(units, self._site)
        if raw is None:
            return None
        stored = self._secrets(raw)
        missing_files(units, stored, world.secret_users, self._site)
        workflows: Mapping[str, WorkflowDocument] = {}
        if "workflows" in self.root.entries:
            from .workflows import check_workflows  # few stacks have any

            known = KnownNames(kinds=names.kinds, secrets=world.secrets, lookup=self._lookup)
            workflows = check_workflows(self._site.at("workflows"), known)
        return StackSpec(
            name=self._name,
            files=self._assembled.files,
            base_dir=os.path.dirname(self._assembled.files[0]),
            units=units,
            description=raw.description,
            secrets=stored,
            variables={**self._assembled.variables, **self._assembled.env_values},
            settings=_settings(settings, self._site.at("settings")),
            inactive=names.inactive,
            workflows=workflows,
        )

    # ── top level ────────────────────────────────────────────────────────────────────────────────

    def _top_level(self) -> RawStack | None:
        known = (*field_names(RawStack), *UNIT_GROUPS)
        for key in self.root.entries:
            if key in _REFUSED:
                self._site.at(key).report_key("config-unsupported", *_REFUSED[key])
            elif key not in known and not key.startswith("x-"):
                hint = did_you_mean(key, known)
                self._site.at(key).report_key("config-unknown-key", "unknown key", hint)
        own = {k: e for k, e in self.root.entries.items() if k in field_names(RawStack)}
        raw = check(RawStack, Map(mark=self.root.mark, entries=own), self._site, self._lookup)
        if raw is None:
            return None
        if raw.version is not None and raw.version not in _VERSIONS:
            self._site.at("version").report(
                "config-value", f"unsupported version: {raw.version}", 'write version: "1"'
            )
        for name, network in raw.networks.items():
            self._network(name, network.type, network.subnet, self._site.at("networks", name))
        for name in raw.variables:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                self._site.at("variables", name).report_key(
                    "config-value", f'"{name}" is no variable\'s name'
                )
        return raw

    def _network(self, name: str, type_: str, subnet: str | None, site: Site) -> None:
        if type_ in ("lan", "wireguard"):
            site.at("type").report(
                "config-unsupported",
                f"no type of unit available here runs in a {type_} network",
                f"write `type: local` to run the units of {name} on this machine",
            )
        elif type_ != "local":
            hint = did_you_mean(type_, ("local", "lan", "wireguard"))
            site.at("type").report("config-value", f'there is no network type "{type_}"', hint)
        elif subnet is not None:
            site.at("subnet").warn("config-value", "has no effect in a local network")

    def _secrets(self, raw: RawStack) -> dict[str, SecretSpec]:
        result = {}
        for name, secret in raw.secrets.items():
            site = self._site.at("secrets", name)
            base_dir = os.path.dirname(site.node.mark.file if site.node else "")
            found = convert_secret(name, secret, site, lookup=self._lookup, base_dir=base_dir)
            if found is not None:
                result[name] = found
        return result

    # ── units ────────────────────────────────────────────────────────────────────────────────────

    def _drafts(self) -> list[_Draft]:
        """Return the units, structure resolved; the tree is updated with it."""
        drafts: dict[str, _Draft] = {}
        for group, kind in (("services", UnitKind.SERVICE), ("tasks", UnitKind.TASK)):
            units = self.root.get(group)
            if units is None:
                continue
            if not isinstance(units, Map):
                self._site.at(group).report("config-type", "must be a map name → unit")
                continue
            for name in units.entries:
                draft = self._draft(group, kind, name)
                if draft is not None and name in drafts:
                    self._site.at(group, name).report_key(
                        "config-value", f'a {drafts[name].kind.value} is called "{name}" too',
                        "names are unique among services and tasks",
                    )  # fmt: skip
                elif draft is not None:
                    drafts[name] = draft
        return list(drafts.values())

    def _draft(self, group: str, kind: UnitKind, name: str) -> _Draft | None:
        site = self._site.at(group, name)
        node = site.node
        if not isinstance(node, Map):
            site.report("config-type", f"must be a map that describes the {kind.value}")
            return None
        if not _NAME.fullmatch(name):
            site.report_key(
                "config-value", f'"{name}" is no name of a unit',
                "a letter, then letters, digits, - and _",
            )  # fmt: skip
        elif name in _RESERVED:
            site.report_key("config-value", f'"{name}" has a meaning of its own in ${{…}}')
        empty = [k for k, e in node.entries.items() if isinstance(e.node, Scalar) and
                 e.node.value is None]  # fmt: skip
        node = node.without(*empty)
        for key in _STATIC_KEYS:
            entry = node.entries.get(key)
            if entry is not None:
                resolved = resolve_node(entry.node, site.at(key), self._lookup)
                node = node.with_entry(key, replace(entry, node=resolved))
        entry = self.root.entries[group]
        self.root = self.root.with_entry(group, replace(entry, node=put(entry.node, (name,), node)))
        return _Draft(name=name, kind=kind, path=(group, name), node=node)

    def _names(self, drafts: list[_Draft], raw: RawStack | None) -> Names:
        own = (
            (raw.profiles,)
            if raw and isinstance(raw.profiles, str)
            else raw.profiles
            if raw
            else ()
        )
        active = self._source.profiles or own
        inactive: dict[str, tuple[str, ...]] = {}
        every: dict[str, None] = {}
        for draft in drafts:
            profiles = _texts(draft.node.get("profiles"))
            every.update(dict.fromkeys(profiles))
            if profiles and "*" not in active and not set(profiles) & set(active):
                inactive[draft.name] = profiles
        for profile in active:
            if profile not in every and profile != "*":
                site = self._site.at("profiles")
                if self._source.profiles:
                    site = replace(site, path=("--profile",), mark=_COMMAND_LINE)
                site.report(
                    "config-unknown-profile", f'no unit belongs to the profile "{profile}"',
                    did_you_mean(profile, every),
                )  # fmt: skip
        return Names(kinds={draft.name: draft.kind for draft in drafts}, inactive=inactive)

    def _unit(
        self, draft: _Draft, names: Names, settings: RawSettings, stack: RawStack | None
    ) -> UnitSpec | None:
        site = self._site.at(*draft.path)
        is_task = draft.kind is UnitKind.TASK
        if draft.name in names.inactive and not self._has_known_type(draft):
            return None
        known = self._types.executors
        type_ = type_name(draft.node, site, known, is_task=is_task, broken=self._types.broken)
        # An unknown type that is nearly a known one is reported; the rest is read as of that one.
        likely = type_ or likely_type(draft.node, known)
        options_type = known[likely] if likely else None
        parts = part(draft.node, site, options_type, known, is_task=is_task)
        raw_type: type[RawUnit] = RawTask if is_task else RawService
        raw = check(raw_type, parts.common, site, self._lookup)
        made = options(parts.own, options_type, site, self._lookup) if options_type else None
        if raw is None:
            return None
        if stack is not None and raw.network is not None and raw.network not in stack.networks:
            hint = did_you_mean(raw.network, stack.networks)
            message = f'references unknown network "{raw.network}"'
            site.at("network").report("config-unknown-network", message, hint)
        if isinstance(raw, RawService):
            self._check_typed("service", site)
        elif type_ == _TYPED:
            self._check_typed("task", site)
        facts = UnitFacts(
            name=draft.name,
            type=type_ or "",
            options=made,
            base_dir=os.path.dirname(draft.node.mark.file),
            settings=settings,
            custom=CustomChecks(self._types, self._lookup),
        )
        return convert_unit(raw, facts, site, names)

    def _check_typed(self, kind: str, site: Site) -> None:
        """Report a `service_type` or `task_type` that no plugin brings, where that is checked."""
        at = site.at(f"{kind}_type")
        node = at.node
        if not isinstance(node, Scalar) or node.value is None:
            return
        known = self._types.service_types if kind == "service" else self._types.task_types
        if known is None or node.text in known:
            return
        hint = did_you_mean(node.text, known) if known else self._types.broken
        message = f'no plugin brings a {kind} type "{node.text}"'
        at.report(f"config-unknown-{kind}-type", message, hint)

    def _has_known_type(self, draft: _Draft) -> bool:
        found = draft.node.get("type")
        return not isinstance(found, Scalar) or found.text.lower() in map(
            str.lower, self._types.executors
        )


def _type_names(drafts: list[_Draft], names: Names) -> Iterator[str]:
    """Yield the types that units name, but for those that are left out."""
    for draft in drafts:
        found = draft.node.get("type")
        if draft.name not in names.inactive and isinstance(found, Scalar):
            yield found.text


def _texts(node: object) -> tuple[str, ...]:
    items = node.items if isinstance(node, Seq) else (node,)
    return tuple(item.text for item in items if isinstance(item, Scalar))


def _settings(raw: RawSettings, site: Site) -> Settings:
    if raw.parallelism is not None and raw.parallelism < 1:
        site.at("parallelism").report("config-value", "must be 1 or more")
    size = {} if raw.log_max_size is None else {"log_max_bytes": raw.log_max_size}
    return Settings(
        log_level=raw.log_level, inherit_env=raw.inherit_env, parallelism=raw.parallelism, **size
    )


def project_name(source: Source, root: Map, lookup: StaticLookup, problems: Problems) -> str:
    """Return the project's name: asked for, else the stack's, else the directory's.

    A name that was asked for must be well formed; the others are made so.
    """
    if source.project is not None:
        if not _PROJECT.fullmatch(source.project):
            problems.add(
                Mark(file=root.mark.file), (), "config-value",
                f'"{source.project}" is no name of a project',
                "lower case letters, digits, - and _; the first a letter or digit",
            )  # fmt: skip
        return source.project
    node = root.get("name")
    text = ""
    if isinstance(node, Scalar):
        site = Site(problems=problems, root=root, path=("name",))
        resolved = resolve_scalar(node, site, lookup)
        text = "" if resolved is None else resolved.text
    text = text or os.path.basename(os.path.dirname(root.mark.file))
    return project_slug(text)
