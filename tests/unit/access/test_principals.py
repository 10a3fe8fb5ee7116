"""Whom a client's certificate stands for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from anyio.abc import ByteStream

from harness.access import Role, principal_of_certificate


class _Stream:
    """A connection whose client has shown a certificate, as TLS describes it."""

    def __init__(self, role: str) -> None:
        self._shown = {
            "subject": (
                (("organizationName", "Graph Network Harness"),),
                (("organizationalUnitName", role),),
                (("commonName", "ci"),),
            ),
            "serialNumber": "0A",
            "notAfter": "Mar  1 12:00:00 2026 GMT",
        }

    def extra(self, *_: Any) -> Any:
        return self._shown


def shown(role: str) -> ByteStream:
    return cast("ByteStream", _Stream(role))  # nothing else of it is looked at


def test_its_name_role_and_end_are_those_of_the_certificate() -> None:
    found = principal_of_certificate(shown("viewer"), address="1.2.3.4")
    assert found is not None
    assert (found.name, found.role, found.how) == ("ci", Role.VIEWER, "certificate")
    assert (found.address, found.key) == ("1.2.3.4", "certificate:a")
    assert found.expires_at == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("role", ["", "root"])
def test_one_without_a_role_stands_for_nobody(role: str) -> None:
    assert principal_of_certificate(shown(role), address="") is None
