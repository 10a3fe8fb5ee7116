"""What can be wrong between units only: ports taken twice, stages that do not exist."""

from __future__ import annotations

from collections.abc import Mapping

from harness.model import UnitKind, UnitSpec

from .problems import Site, did_you_mean

__all__ = ["cross_check"]


def cross_check(units: Mapping[str, UnitSpec], site: Site) -> None:
    """Report problems between the active units."""
    _ports(units, site)
    for unit in units.values():
        _stages(unit, units, site)


def _place(unit: UnitSpec, site: Site) -> Site:
    return site.at("tasks" if unit.kind is UnitKind.TASK else "services", unit.name)


def _ports(units: Mapping[str, UnitSpec], site: Site) -> None:
    taken: dict[tuple[object, ...], tuple[str, str]] = {}
    for unit in units.values():
        for index, (name, port) in enumerate(unit.ports.items()):
            if port.host is None:
                continue
            key = (port.host, port.protocol, port.address)
            first = taken.setdefault(key, (unit.name, name))
            if first == (unit.name, name):
                continue
            ports = _place(unit, site).at("ports")
            place = ports.at(name) if ports.at(name).node else ports.at(index)
            place.report(
                "config-duplicate-port",
                f'port {port.host}/{port.protocol.value} is taken by "{first[0]}"',
                "give one of them another port, or auto",
            )


def _stages(unit: UnitSpec, units: Mapping[str, UnitSpec], site: Site) -> None:
    for edge in unit.depends_on:
        other = units.get(edge.on)
        if edge.stage is None or other is None:
            continue
        stages = [stage.name for stage in other.health.stages] if other.health else []
        if edge.stage not in stages:
            hint = did_you_mean(edge.stage, stages) or f'"{edge.on}" has no stages'
            _place(unit, site).at("depends_on").report(
                "config-value", f'"{edge.on}" has no readiness stage "{edge.stage}"', hint
            )
