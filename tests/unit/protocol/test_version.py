from __future__ import annotations

import pytest

from harness.errors import ProtocolError
from harness.protocol import OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION, check_protocol_version


@pytest.mark.parametrize("version", range(OLDEST_PROTOCOL_VERSION, PROTOCOL_VERSION + 1))
def test_every_version_from_the_oldest_on_is_accepted(version):
    check_protocol_version(version)


def test_a_newer_client_is_told_that_the_daemon_is_older():
    with pytest.raises(ProtocolError, match="the running daemon is older") as caught:
        check_protocol_version(PROTOCOL_VERSION + 1)
    assert caught.value.details["daemon"] == PROTOCOL_VERSION
    assert "--keep-services" in str(caught.value.hint)


def test_an_older_client_is_told_that_the_daemon_is_newer():
    with pytest.raises(ProtocolError, match="the running daemon is newer"):
        check_protocol_version(OLDEST_PROTOCOL_VERSION - 1)
