"""`harness bundle`: a page to pass on."""

from __future__ import annotations

import json

from .harness_case import HarnessCase

STACK = """
secrets: {token: {env: DIR}}
services:
  app: {type: process, command: "sh -c 'echo hello; exec sleep 1000'", env: {T: "${secrets.token}"}}
  bad: {type: process, command: "sh -c 'echo hopeless >&2; exit 3'"}
"""


def test_all_about_a_project_is_on_one_page(case: HarnessCase) -> None:
    case.write(STACK)
    case("up", "--keep-going")
    path = case.directory / "out.html"
    assert case.ok("bundle", "-o", str(path)) == f"{path}\n"
    page = path.read_text()
    for text in ("hello", "hopeless", "bad is failed", "operation-finished", "********"):
        assert text in page
    assert case.ok("bundle").strip() == f"harness-{case.project}.html"
    (project,) = json.loads(case.ok("bundle", "--json", "--tail", "1"))["projects"]
    assert (project["problems"], list(project["why"])) == ([], ["bad"])
    assert project["plan"]["app"]["type"] == "process"
    assert project["environment"]["app"]["T"] == "********"
    later = json.loads(case.ok("bundle", "--json", "--since", "0s"))["projects"][0]
    assert later["logs"] == []


def test_a_project_that_is_not_there_has_no_page(case: HarnessCase) -> None:
    case.write(STACK)
    assert case("bundle").returncode == 5
    case.ok("daemon", "start")
    assert case("bundle").returncode == 4
    assert list(case.directory.glob("*.html")) == []


def test_a_place_that_cannot_be_written_is_named(case: HarnessCase) -> None:
    case.write(STACK)
    case("up", "--keep-going")
    done = case("bundle", "-o", "no/such/folder.html")
    assert (done.returncode, "no/such/folder.html" in done.stderr) == (1, True)
