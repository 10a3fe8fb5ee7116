from __future__ import annotations

import pytest

from harness.daemon.dispatcher import Dispatcher, outlives_connection
from tests.unit.daemon.serving import HANDLERS


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("services.up", True),
        ("daemon.stop", True),
        ("services.status", False),
        ("services.wait", False),
        ("services.write", False),
        ("exec.run", False),
        ("no.such", False),
    ],
)
def test_what_changes_more_than_its_connection_outlives_it(method, expected):
    assert outlives_connection(method) is expected


def test_a_handler_of_an_unknown_method_is_a_defect():
    with pytest.raises(ValueError, match=r"services\.dance"):
        Dispatcher({"services.dance": HANDLERS["daemon.status"]})
