from __future__ import annotations

import json
from pathlib import Path

from bench.report import BASELINE, PAGE, document, markdown, table, write_page
from bench.rows import ROWS, Line

LINES = [
    (
        "up",
        Line(
            what="200 services",
            unit="s",
            values={"harness": 0.5, "pm2": 1234.5, "circus": "failed: gone"},
            target="at most 1 s",
            met=True,
            ratio=0.25,
            ratio_to="pm2",
            note="none left",
        ),
    ),
    ("size", Line(what="memory", unit="MiB", values={"harness": 91.25}, met=False)),
]


def results():
    return document(LINES, {"harness": "1.0", "pm2": "7"}, load=0.5)


def test_a_table_has_a_column_for_each_tool_and_a_note_below_its_line():
    text = table(results()).splitlines()
    assert text[0].split() == ["what", "harness", "pm2", "circus", "ratio", "target"]
    assert "0.50" in text[1]
    assert "1,234" in text[1]
    assert "0.25 of pm2" in text[1]
    assert text[1].endswith("met")
    assert text[2] == "    none left"
    assert text[3].endswith("MISSED")


def test_a_row_that_the_harness_failed_is_missed():
    line = Line(what="size", unit="s", values={"harness": "failed: gone"}, target="1 s")
    assert table(document([("size", line)], {}, load=0.0)).endswith("MISSED")


def test_the_results_survive_json():
    assert table(json.loads(json.dumps(results()))) == table(results())


def test_markdown_lists_the_notes_and_the_versions():
    text = markdown(results())
    assert "harness 1.0, pm2 7" in text
    assert "| memory, MiB | 91.2 | - | - |  |  | MISSED |" in text
    assert "- 200 services: none left." in text


def test_the_page_gets_the_results_between_its_marks(tmp_path: Path):
    page, baseline = tmp_path / "page.md", tmp_path / "baseline.json"
    page.write_text("before\n<!-- results: begin -->\nold\n<!-- results: end -->\nafter\n")
    baseline.write_text(json.dumps(results()))
    text = write_page(page, baseline)
    assert text == page.read_text()
    assert text.startswith("before\n<!-- results: begin -->\n")
    assert text.endswith("<!-- results: end -->\nafter\n")
    assert "old" not in text
    assert write_page(page, baseline) == text


def test_the_committed_page_shows_the_committed_results(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    assert write_page(page, BASELINE) == PAGE.read_text()


def test_every_row_has_a_name_of_its_own_and_a_limit():
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert all(row.limit_s > 0 for row in ROWS)
