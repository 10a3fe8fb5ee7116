"""What stack a fixture is of."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from harness.testing import harness_stack
from harness.testing.definition import unique_project
from harness.testing.fixtures import define


def no_directory(name: str) -> Path:
    raise AssertionError("files need no directory of their own")


def test_files_start_at_the_directory_and_variables_are_among_the_environment(tmp_path: Path):
    definition = define(
        "a.yaml", Path("b.yaml"), directory=tmp_path, variables={"A": "1", "B": "1"}, env={"B": "2"}
    )
    source = definition.source("shop", no_directory)
    assert source["files"] == [str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")]
    assert (source["project"], source["env"]["A"], source["env"]["B"]) == ("shop", "1", "2")
    assert source["env"]["PATH"] == os.environ["PATH"]


def test_a_mapping_becomes_a_file(tmp_path: Path):
    stack = {"name": "möbel", "services": {"a": {"command": "echo ${project.name}"}}}
    source = define(stack, directory=tmp_path / "elsewhere").source("p", lambda name: tmp_path)
    (file,) = source["files"]
    assert Path(file).parent == tmp_path
    assert json.loads(Path(file).read_text("utf-8")) == stack


def test_what_cannot_stand_in_a_file_is_told_where_it_is_declared(tmp_path: Path):
    made = define({"services": {"a": {"working_dir": tmp_path}}}, directory=tmp_path)
    (file,) = made.source("p", lambda name: tmp_path)["files"]
    assert json.loads(Path(file).read_text())["services"]["a"]["working_dir"] == str(tmp_path)
    with pytest.raises(TypeError, match="a stack cannot hold <object"):
        define({"services": {"a": object()}}, directory=tmp_path)
    with pytest.raises(TypeError, match="the value of SIZE is text, not 3"):
        define("a.yaml", directory=tmp_path, variables={"SIZE": 3})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("stack", "label"),
    [
        ([{"name": "shop"}], "shop"),
        ([{"services": {}}], "stack"),
        (["stacks/shop.yaml", "more.yaml"], "shop"),
        (["shop/harness.yaml"], "shop"),
        ([], "here"),
    ],
)
def test_projects_are_named_after_the_stack(stack: list[Any], label: str, tmp_path: Path):
    assert define(*stack, directory=tmp_path / "here").label == label


@pytest.mark.parametrize("label", ["shop", "My Shop!", "Ω", "-_x", "x" * 200])
def test_a_projects_name_is_one_and_names_the_process(label: str):
    name = unique_project(label, worker="gw1", number=3)
    assert re.fullmatch(r"[a-z0-9][a-z0-9_-]{1,70}", name)
    assert name.endswith(f"-gw1-{os.getpid()}-3")


@pytest.mark.parametrize("stack", [[{}, {}], [{}, "a.yaml"], [3]])
def test_a_stack_is_of_files_or_of_one_mapping(stack: list[Any], tmp_path: Path):
    with pytest.raises(TypeError, match="one mapping, or paths"):
        define(*stack, directory=tmp_path)


def test_an_isolation_that_means_nothing_is_refused(tmp_path: Path):
    with pytest.raises(TypeError, match="isolation"):
        define(directory=tmp_path, isolation="process")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="share"):
        harness_stack({}, isolation="snapshot")
