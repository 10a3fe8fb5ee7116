"""The resolved stack, without anything private."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.config import show
from harness.errors import ConfigError
from tests.unit.config.stacks import EXECUTORS, source

TEXT = """\
name: shop
variables: {PORT_NAME: sql, FROM_VARIABLE: visible}
secrets: {pw: {env: PW}}
x-shared: {a: 1}
templates: {base: {type: process, command: db}}
services:
  db:
    extends: base
    ports: {sql: auto}
    nice: 3
    env:
      PLAIN: literal
      VARIABLE: ${FROM_VARIABLE}
      OUTSIDE: a${HOME_TOWN}b
      DEFAULT: ${UNSET:-fallback}
      SECRET: ${secrets.pw}
      DB_PASSWORD: hunter2
      API_KEY: 12345
      EMPTY_TOKEN: ""
      URL: postgresql://me:hunter2@${db.host}:${db.ports.sql}/x
      PROJECT: ${project.name}
      UNSET_ALTERNATIVE: ${BLANK:-empty}
  off: {type: process, command: off, profiles: [never]}
tasks:
  seed: {type: process, command: seed, depends_on: [db]}
"""


def shown(tmp_path: Path) -> str:
    env = {"HOME_TOWN": "private place", "PW": "hunter3", "BLANK": ""}
    return show(source(tmp_path, TEXT, project=None, env=env), executors=EXECUTORS)


def test_merged_stack_is_shown_without_its_machinery(tmp_path: Path) -> None:
    document = yaml.safe_load(shown(tmp_path))

    assert list(document) == ["name", "variables", "secrets", "services", "tasks"]
    assert list(document["services"]) == ["db"]
    assert document["services"]["db"]["type"] == "process"
    assert document["services"]["db"]["nice"] == 3
    assert document["tasks"]["seed"]["depends_on"] == ["db"]


def test_variables_are_filled_in_and_everything_private_is_masked(tmp_path: Path) -> None:
    text = shown(tmp_path)
    mask = "********"

    assert yaml.safe_load(text)["services"]["db"]["env"] == {
        "PLAIN": "literal",
        "VARIABLE": "visible",
        "OUTSIDE": f"a{mask}b",
        "DEFAULT": "fallback",
        "SECRET": mask,
        "DB_PASSWORD": mask,
        "API_KEY": mask,
        "EMPTY_TOKEN": "",
        "URL": f"postgresql://me:{mask}@${{db.host}}:${{db.ports.sql}}/x",
        "PROJECT": "shop",
        "UNSET_ALTERNATIVE": "empty",
    }
    for private in ("private place", "hunter2", "hunter3"):
        assert private not in text


def test_stack_with_problems_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        show(source(tmp_path, "typo: 1\n"), executors=EXECUTORS)


def test_what_is_shown_means_the_same_when_it_is_loaded(tmp_path: Path) -> None:
    text = "services: {a: {type: process, command: x, env: {A: 'x$${HOME}$$y', B: '${a.host}'}}}"
    shown = show(source(tmp_path, text, project=None, env={}), executors=EXECUTORS)
    assert yaml.safe_load(shown)["services"]["a"]["env"] == {"A": "x$${HOME}$$y", "B": "${a.host}"}
