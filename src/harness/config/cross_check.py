"""What can be wrong between units only: cycles, ports taken twice, stages that do not exist."""

from __future__ import annotations

from collections.abc import Mapping

from harness.errors import DependencyCycle
from harness.model import Dependency, PortProtocol, PortSpec, UnitKind, UnitSpec, find_cycle

from .nodes import Scalar, Seq
from .problems import Site, did_you_mean

__all__ = ["cross_check"]


def cross_check(units: Mapping[str, UnitSpec], site: Site) -> None:
    """Report problems between the active units."""
    _cycle(units, site)
    _ports(units, site)
    for unit in units.values():
        _stages(unit, units, site)


def _place(unit: UnitSpec, site: Site) -> Site:
    return site.at("tasks" if unit.kind is UnitKind.TASK else "services", unit.name)


def _cycle(units: Mapping[str, UnitSpec], site: Site) -> None:
    cycle = find_cycle(
        {
            name: tuple(edge for edge in unit.depends_on if edge.on in units)
            for name, unit in units.items()
        }
    )
    if not cycle:
        return
    site.problems.cycle = cycle
    first = units[cycle[0]]
    place = _place(first, site)
    if any(edge.on == cycle[1] and not edge.implicit for edge in first.depends_on):
        place = place.at("depends_on")
    place.report(
        DependencyCycle.kind,
        f"units wait for one another: {' → '.join(cycle)}",
        "remove one of these dependencies",
    )


def _ports(units: Mapping[str, UnitSpec], site: Site) -> None:
    taken: dict[tuple[int, PortProtocol], list[tuple[str, PortSpec]]] = {}
    for unit in units.values():
        for index, port in enumerate(unit.ports.values()):
            if port.host is None:
                continue
            others = taken.setdefault((port.host, port.protocol), [])
            clash = next((name for name, other in others if _clash(port, other)), None)
            if clash is not None:
                ports = _place(unit, site).at("ports")
                place = ports.at(port.name) if ports.at(port.name).node else ports.at(index)
                place.report(
                    "config-duplicate-port",
                    f'port {port.host}/{port.protocol.value} is taken by "{clash}"',
                    "give one of them another port, or auto",
                )
            others.append((unit.name, port))


def _clash(one: PortSpec, other: PortSpec) -> bool:
    addresses = {one.address, other.address}
    return len(addresses) == 1 or bool(addresses & {"0.0.0.0", "::", "*"})  # noqa: S104 - compared


def _stages(unit: UnitSpec, units: Mapping[str, UnitSpec], site: Site) -> None:
    for edge in unit.depends_on:
        other = units.get(edge.on)
        if edge.stage is None or other is None:
            continue
        stages = [stage.name for stage in other.health.stages] if other.health else []
        if edge.stage not in stages:
            hint = did_you_mean(edge.stage, stages) or f'"{edge.on}" has no stages'
            _stage_place(edge, _place(unit, site).at("depends_on")).report(
                "config-value", f'"{edge.on}" has no readiness stage "{edge.stage}"', hint
            )


def _stage_place(edge: Dependency, site: Site) -> Site:
    """Return where the file names the edge's stage."""
    steps: list[str | int] = [edge.on]
    if isinstance(site.node, Seq):
        steps = list(range(len(site.node.items)))
    places = (site.at(step, "stage") for step in steps)
    return next(
        (p for p in places if isinstance(p.node, Scalar) and p.node.text == edge.stage), site
    )
