from __future__ import annotations

import os

from harness.client import make_source


def test_files_are_absolute_from_the_directory():
    source = make_source(files=["a.yaml", "/x/b.yaml"], directory="/shop", env={"A": "1"})
    assert source == {
        "files": ["/shop/a.yaml", "/x/b.yaml"],
        "directory": "/shop",
        "project": None,
        "profiles": [],
        "env": {"A": "1"},
    }


def test_directory_and_environment_are_this_processs_own_by_default():
    source = make_source()
    assert source["directory"] == os.getcwd()
    assert source["env"] == dict(os.environ)
