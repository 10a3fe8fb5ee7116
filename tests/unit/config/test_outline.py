"""The names in stack files, as completion needs them."""

from __future__ import annotations

from pathlib import Path

from harness.config import Outline, outline

STACK = """\
include: parts/more.yaml
x-base: &base
  ports: {http: auto}
templates:
  web: {extends: any, ports: {admin: 9000}}
  any: {ports: {metrics: auto}}
services:
  shop: {extends: web, ports: {http: 8080}, profiles: [full, debug]}
  cache: {<<: *base, profiles: debug}
  old: {ports: ["127.0.0.1:5353:53/udp", 80, "auto:443"]}
  nothing:
tasks:
  seed: {command: '${NOT:?read}'}
workflows:
  deploy: {steps: [{start: shop}]}
  half:
"""


def outlined(tmp_path: Path, text: str) -> Outline:
    path = tmp_path / "harness.yaml"
    path.write_text(text)
    return outline([str(path)])


def test_units_ports_and_profiles_are_found_whatever_they_come_from(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    more = "include: [../harness.yaml, ../missing.yaml]\nservices: {db: {ports: {sql: 5432}}}\n"
    (tmp_path / "parts" / "more.yaml").write_text(more)
    found = outlined(tmp_path, STACK)
    assert found.units == {
        "db": "service",
        "shop": "service",
        "cache": "service",
        "old": "service",
        "nothing": "service",
        "seed": "task",
    }
    assert found.ports == {
        "db": ("sql",),
        "shop": ("http", "admin", "metrics"),
        "cache": ("http",),
        "old": ("53", "80", "443"),
    }
    assert found.profiles == ("full", "debug")
    assert found.workflows == ("deploy", "half")


def test_what_is_half_written_or_no_stack_has_no_names(tmp_path: Path) -> None:
    assert outline([str(tmp_path / "missing.yaml")]) == Outline()
    for text in ("services: {a: [", "", "just text", "services: 3\ntasks: [x]", "? {a: b}\n: c"):
        assert outlined(tmp_path, text) == Outline()


def test_what_refers_to_itself_comes_to_an_end(tmp_path: Path) -> None:
    text = "include: harness.yaml\nservices: {a: &a {<<: *a, extends: a, ports: {http: 1}}}"
    assert outlined(tmp_path, text).ports == {"a": ("http",)}
    assert outlined(tmp_path, "services: &a {<<: &b {<<: *a}}") == Outline()
