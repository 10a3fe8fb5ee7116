from __future__ import annotations

from pathlib import Path

from graph_test_daemon.subgraph.mapping import exported_functions


def test_what_is_handed_on_from_other_files_is_exported_too(tmp_path: Path) -> None:
    (tmp_path / "mapping.ts").write_text(
        "export { a, b as c } from './x'\nexport * from './other'\nfunction hidden() {}\n"
        "/* export function commented() */\nexport function own(): void {}\n"
    )
    (tmp_path / "other.ts").write_text("export function far(): void {}\nexport * from './mapping'")
    assert exported_functions(tmp_path / "mapping.ts") == {"a", "c", "own", "far"}
