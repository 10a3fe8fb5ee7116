from __future__ import annotations

from pathlib import Path

import pytest

from graph_test_daemon.subgraph.inputs import Inputs, collect_inputs
from graph_test_daemon.subgraph.manifest import Manifest, read_manifest

from .small import write


def collect(directory: Path, filled: dict[str, str] | None = None) -> Inputs:
    manifest = read_manifest(directory)
    assert isinstance(manifest, Manifest)
    return collect_inputs(manifest, filled or {})


def test_what_is_named_and_imported_is_collected_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "README.md").write_text("no part of it")
    names = {str(path) for path in collect(tmp_path).files}
    assert names == {
        "subgraph.yaml",
        "schema.graphql",
        "abis/Notes.json",
        "src/mapping.ts",
        "src/helper.ts",
    }


def test_files_beside_the_subgraph_keep_their_place_in_a_copy(tmp_path: Path) -> None:
    home = write(
        tmp_path / "packages" / "notes",
        ("subgraph.yaml", "./abis/Notes.json", "../abis/Notes.json"),
        ("src/mapping.ts", "./helper", "../../common/helper"),
    )
    (tmp_path / "packages" / "abis").mkdir()
    (home / "abis" / "Notes.json").rename(tmp_path / "packages" / "abis" / "Notes.json")
    (tmp_path / "packages" / "common").mkdir()
    (home / "src" / "helper.ts").rename(tmp_path / "packages" / "common" / "helper.ts")
    inputs = collect(home)
    assert inputs.directory == Path("notes")
    work = inputs.write(tmp_path / "copy")
    assert work == tmp_path / "copy" / "notes"
    assert (work / "../abis/Notes.json").is_file()
    assert (work / "src/../../common/helper.ts").is_file()


def test_filled_in_texts_take_the_place_of_the_files(tmp_path: Path) -> None:
    inputs = collect(write(tmp_path), {"schema.graphql": "other"})
    assert inputs.files[Path("schema.graphql")] == b"other"


@pytest.mark.parametrize("file", ["src/helper.ts", "schema.graphql", "abis/Notes.json"])
def test_a_changed_file_changes_the_hash(tmp_path: Path, file: str) -> None:
    before = collect(write(tmp_path)).digest("program")
    (tmp_path / file).write_text((tmp_path / file).read_text() + "\n")
    assert collect(tmp_path).digest("program") != before


def test_of_the_manifest_only_the_program_counts(tmp_path: Path) -> None:
    before = collect(write(tmp_path))
    after = collect(write(tmp_path, ("subgraph.yaml", "startBlock: 0", "startBlock: 1")))
    assert before.digest("program") == after.digest("program")
    assert before.digest("program") != before.digest("another")
