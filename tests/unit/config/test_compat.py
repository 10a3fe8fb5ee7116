"""Files of the older dialects load, or are refused for a reason that a user can act on."""

from __future__ import annotations

import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from harness.config import Source, load, schema, validate
from harness.executors import option_types
from harness.model import Condition

COMPAT = Path(__file__).parents[3] / "examples" / "compat"
TYPES = "types available here: external, fake, process, typed"
REFUSED = {
    "services": [
        (
            "14:11: networks.office.type: no type of unit available here runs in a lan network; "
            "write `type: local` to run the units of office on this machine"
        ),
        f'23:11: services.postgres.type: nothing here runs units of type "docker"; {TYPES}',
        f'50:11: services.worker.type: nothing here runs units of type "remote"; {TYPES}',
        f'56:11: services.indexer.type: nothing here runs units of type "package"; {TYPES}',
    ],
    "stack": [
        f'17:13: services.storage.type: nothing here runs units of type "Docker"; {TYPES}',
        f'25:13: services.database.type: nothing here runs units of type "Docker"; {TYPES}',
    ],
}
LOADS = sorted({path.stem for path in COMPAT.glob("*.yaml")} - set(REFUSED))


@pytest.fixture
def compat(tmp_path: Path) -> Path:
    """Return a copy of the files, with the directories that units run in."""
    for directory in ("api", "contracts"):
        (tmp_path / directory).mkdir()
    shutil.copytree(COMPAT, tmp_path, dirs_exist_ok=True)
    return tmp_path


def compat_source(directory: Path, name: str) -> Source:
    return Source(
        directory=str(directory),
        files=(str(directory / f"{name}.yaml"),),
        env={"DEPLOYER_PRIVATE_KEY": "0x1"},
    )


@pytest.mark.parametrize("name", LOADS)
def test_file_loads(compat: Path, name: str) -> None:
    assert load(compat_source(compat, name), executors=option_types()).units


@pytest.mark.parametrize("name", REFUSED)
def test_file_is_refused_with_reasons(compat: Path, name: str) -> None:
    found = validate(compat_source(compat, name), executors=option_types())

    expected = [f"{name}.yaml:{problem}" for problem in REFUSED[name]]
    assert [str(problem) for problem in found.problems] == expected


def test_every_file_is_in_the_table_of_the_readme() -> None:
    text = (COMPAT / "README.md").read_text()

    assert all(f"`{path.name}`" in text for path in COMPAT.glob("*.yaml"))


def test_plain_names_and_both_keyed_forms_become_the_same_edges(compat: Path) -> None:
    stack = load(compat_source(compat, "stack-with-tasks"), executors=option_types())

    edges = [(edge.on, edge.condition) for edge in stack.units["indexer"].depends_on]

    assert edges == [
        ("chain", Condition.HEALTHY),
        ("cache", Condition.HEALTHY),
        ("deploy-contracts", Condition.COMPLETED),
    ]


@pytest.mark.parametrize("name", ["simple", "env-resolution", "snippet-no-network"])
def test_file_fits_the_published_schema(name: str) -> None:
    document = yaml.safe_load((COMPAT / f"{name}.yaml").read_text())

    jsonschema.validate(document, schema(option_types()))
