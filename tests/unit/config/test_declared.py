"""The project's name, read off the top level of the files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.config import Source, declared_name, load
from harness.executors import option_types


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["name: shop\n"], "shop"),
        (["version: '1'\nname:   'My Shop'   # ours\nservices: {}\n"], "my-shop"),
        (["services:\n  name: {type: fake}\n"], "a-place"),
        (["name: one\n", "name: two\n"], "two"),
        (["name: one\n", "services: {}\n"], "one"),
        (['{"version": "1",\n "name": "bench", "services": {}}\n'], "bench"),
        (["services: {a: {name: a, type: fake}}\n? name\n: last\n"], "last"),
    ],
)
def test_it_is_the_name_that_loading_finds(tmp_path: Path, texts, name):
    directory = tmp_path / "A place"
    directory.mkdir()
    files = []
    for number, text in enumerate(texts):
        path = directory / f"{number}.yaml"
        path.write_text(text + ("" if "services" in text else "services: {}\n"))
        files.append(str(path))
    assert declared_name(files) == name
    source = Source(directory=str(directory), files=tuple(files))
    assert load(source, executors=option_types()).name == name


@pytest.mark.parametrize("text", ["name: ${USER}-x\n", "include: base.yaml\n", "name: [a\n"])
def test_what_only_loading_can_tell_is_left_to_it(tmp_path: Path, text):
    path = tmp_path / "harness.yaml"
    path.write_text(text)
    assert declared_name([str(path)]) is None


def test_a_file_that_is_gone_names_nothing(tmp_path: Path):
    assert declared_name([str(tmp_path / "gone.yaml")]) is None
    assert declared_name([]) is None


def test_what_is_no_file_is_not_opened(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    assert declared_name([str(tmp_path / "pipe")]) is None
