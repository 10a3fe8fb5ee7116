"""Folders of bundles, and what GitHub Actions reads."""

from __future__ import annotations

import pytest

from harness.testing.failure import annotation, folder_name


def test_no_two_failures_share_a_folder():
    ids = ["a.py::test[1/2]", "a.py::test[1-2]", "a.py--test-1-2-", f"a.py::{'x' * 300}"]
    names = [folder_name(one, phase) for one in ids for phase in ("call", "setup")]
    assert len(set(names)) == len(names)
    assert all("/" not in name and len(name) < 120 for name in names)


@pytest.mark.parametrize("test_id", ["../../etc", "..", "test[\ud800]", "a\nb"])
def test_a_folder_is_never_elsewhere(test_id: str):
    name = folder_name(test_id, "call")
    assert "/" not in name
    assert name not in ("", ".", "..")


def test_an_annotation_is_one_line_at_the_tests_place():
    line = annotation(
        file="/w/repo/tests/a,b:c.py",
        line=7,
        title="a::b",
        message="100 %\nno",
        env={"GITHUB_WORKSPACE": "/w/repo"},
    )
    assert line == "::error file=tests/a%2Cb%3Ac.py,line=7,title=a%3A%3Ab::100 %25%0Ano"
