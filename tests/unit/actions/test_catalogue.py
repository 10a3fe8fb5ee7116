"""Which object does an action: one for each service, as long as it is the same service."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from harness.actions import ActionTypes, Catalogue, ServiceType, action
from harness.executors.fake import FakeOptions
from harness.model import ServiceSpec
from harness.supervisor import Project
from tests.toy_plugin import Daemon, Toy

closed: list[str] = []


class Other(ServiceType):
    """Closes badly."""

    name = "other"

    @action()
    async def nothing(self) -> None:
        """Do nothing."""

    async def aclose(self) -> None:
        closed.append(self.service.name)
        raise RuntimeError("cannot let go")


@dataclass(frozen=True)
class _Unit:
    spec: ServiceSpec


@dataclass
class _Shop:
    """A project, as far as actions look at it."""

    name: str = "shop"
    types: dict[str, str] = field(default_factory=lambda: {"a": "toy", "b": "other"})

    @property
    def units(self) -> dict[str, Any]:
        return self.types

    def unit(self, name: str) -> _Unit:
        spec = ServiceSpec(name=name, type="fake", options=FakeOptions(), base_dir="/")
        return _Unit(replace(spec, service_type=self.types[name]))


def shop() -> Project:
    return cast("Project", _Shop())  # the part of it that is looked at


@pytest.fixture
def catalogue() -> Catalogue:
    closed.clear()
    return Catalogue(ActionTypes(services={"toy": Toy, "other": Other}, daemon=[Daemon]))


def test_a_service_keeps_its_object(catalogue: Catalogue) -> None:
    project = shop()
    first = catalogue.find(project, "a", "count").doer
    assert catalogue.find(project, "a", "find").doer is first
    assert catalogue.find(project, "b", "nothing").doer is not first
    assert catalogue.find(None, None, "add").doer is catalogue.find(project, None, "add").doer


def test_a_project_that_was_removed_and_came_again_has_new_objects(catalogue: Catalogue) -> None:
    first = catalogue.find(shop(), "a", "count").doer
    assert catalogue.find(shop(), "a", "count").doer is not first


def test_a_service_of_another_type_has_a_new_object(catalogue: Catalogue) -> None:
    project = _Shop()
    catalogue.find(cast("Project", project), "a", "count")
    project.types["a"] = "other"
    assert isinstance(catalogue.find(cast("Project", project), "a", "nothing").doer, Other)


async def test_all_objects_are_closed_once_whatever_one_raises(
    catalogue: Catalogue, caplog: pytest.LogCaptureFixture
) -> None:
    project = shop()
    first = catalogue.find(project, "a", "count").doer
    catalogue.find(project, "b", "nothing")
    await catalogue.aclose()
    await catalogue.aclose()
    assert closed == ["b"]
    assert "Cannot close Other" in caplog.text
    assert catalogue.find(project, "a", "count").doer is not first
