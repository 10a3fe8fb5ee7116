"""`extends`: lay a unit over a template or another unit, deeply."""

from __future__ import annotations

from dataclasses import replace

from .nodes import Map, Path, Scalar, merge
from .problems import Site, did_you_mean

__all__ = ["inherit"]


def inherit(root: Map, site: Site) -> Map:
    """Return the tree with every `extends` of services and tasks applied and removed.

    Everything is inherited, `depends_on` and `profiles` too; maps merge key by key, lists replace.
    A name is looked for among templates, then services, then tasks.
    """
    walker = _Walker(root, site)
    for group in ("services", "tasks"):
        entry = root.entries.get(group)
        if entry is None or not isinstance(entry.node, Map):
            continue
        units = {
            name: replace(unit, node=walker.unit((group, name)))
            if isinstance(unit.node, Map)
            else unit
            for name, unit in entry.node.entries.items()
        }
        root = root.with_entry(group, replace(entry, node=replace(entry.node, entries=units)))
    return root


class _Walker:
    def __init__(self, root: Map, site: Site) -> None:
        self._root = root
        self._site = site
        self._done: dict[Path, Map] = {}

    def unit(self, path: Path, chain: tuple[Path, ...] = ()) -> Map:
        if path not in self._done:
            self._done[path] = self._merged(path, (*chain, path))
        return self._done[path]

    def _merged(self, path: Path, chain: tuple[Path, ...]) -> Map:
        site = self._site.at(*path)
        node = site.node
        assert isinstance(node, Map)  # noqa: S101 - every caller has looked
        wanted = node.get("extends")
        own = node.without("extends")
        if wanted is None:
            return own
        if not isinstance(wanted, Scalar) or not isinstance(wanted.value, str):
            site.at("extends").report("config-type", "must be the name of a template or unit")
            return own
        parent = self._find(wanted.text)
        if parent is None:
            site.at("extends").report(
                "config-unknown-unit",
                f'there is no template, service or task "{wanted.text}"',
                did_you_mean(wanted.text, self._names()),
            )
            return own
        if parent in chain:
            names = [str(p[-1]) for p in (*chain[chain.index(parent) :], parent)]
            site.at("extends").report(
                "config-cycle", f"units extend one another: {' → '.join(names)}"
            )
            return own
        merged = merge(self.unit(parent, chain), own)
        assert isinstance(merged, Map)  # noqa: S101 - two maps merge to a map
        return replace(merged, mark=node.mark)

    def _find(self, name: str) -> Path | None:
        for group in ("templates", "services", "tasks"):
            if isinstance(self._site.at(group, name).node, Map):
                return (group, name)
        return None

    def _names(self) -> list[str]:
        names: list[str] = []
        for group in ("templates", "services", "tasks"):
            node = self._root.get(group)
            if isinstance(node, Map):
                names.extend(node.entries)
        return names
