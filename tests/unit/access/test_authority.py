from __future__ import annotations

import os
import socket
import ssl
import stat
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from harness.access import Authority, Role, check_own_certificate, client_context, server_context
from harness.clock import SystemClock
from harness.errors import (
    CertificateInvalid,
    CertificateNotFound,
    InvalidParameters,
    StorageError,
)
from tests.fakes.clock import FakeClock

_DAY_S = 86_400.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def authority(tmp_path: Path, clock: FakeClock) -> Authority:
    return Authority(tmp_path / "certificates", clock)


def test_it_is_made_on_first_use_and_then_kept(authority):
    authority.ensure_server("build.example")
    first = authority.facts()
    authority.ensure_server("build.example")
    assert authority.facts() == first
    names = {"build.example", "localhost", "127.0.0.1", "::1", socket.gethostname()}
    assert set(first["server"].names) == names


def test_no_file_of_it_was_ever_readable_for_others(authority, monkeypatch):
    modes = []
    real = os.open

    def noted(path: object, flags: int, mode: int = 0o777, **rest: object) -> int:
        if flags & os.O_CREAT:
            modes.append(mode)
        return real(path, flags, mode, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", noted)
    monkeypatch.setattr(os, "chmod", None)
    old = os.umask(0)
    try:
        authority.ensure_server("localhost")
    finally:
        os.umask(old)
    assert set(modes) == {0o600}
    assert stat.S_IMODE(authority.directory.stat().st_mode) == 0o700
    for path in authority.directory.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_renewed_thirty_days_before_its_end_to_the_second(authority, clock):
    authority.ensure_server("localhost")
    first = authority.facts()["server"]
    clock.advance((first.not_after - timedelta(days=30) - clock.now()).total_seconds() - 1)
    assert not authority.is_due(first.not_after)
    authority.ensure_server("localhost")
    assert authority.facts()["server"] == first
    clock.advance(1)
    assert authority.is_due(first.not_after)
    authority.ensure_server("localhost")
    assert authority.facts()["server"].not_after > first.not_after


def test_a_certificate_of_a_clock_that_was_ahead_is_made_anew(authority, clock):
    ahead = FakeClock(clock.now() + timedelta(days=1))
    Authority(authority.directory, ahead).ensure_server("localhost")
    first = authority.facts()["server"]
    authority.ensure_server("localhost")
    assert authority.facts()["server"].not_after < first.not_after


def test_no_session_outlives_what_it_was_made_with(tmp_path):
    authority = Authority(tmp_path, SystemClock())  # TLS has no other
    authority.ensure_server("localhost")
    (authority.directory / "ca.pem").write_text(authority.ca_pem())
    server_side = server_context(authority.server_path, ca=authority.directory / "ca.pem")
    client_side = client_context(ca=authority.directory / "ca.pem")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_side.wrap_bio(there, back, server_side=True)
    client = client_side.wrap_bio(back, there, server_hostname="localhost")
    for _ in range(4):
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    server.write(b"x")
    assert client.read(1) == b"x"
    assert client.session is None or not client.session.has_ticket


def test_another_host_gets_a_certificate_that_names_it_and_the_ones_before(authority):
    authority.ensure_server("10.0.0.1")
    authority.ensure_server("build.example")
    assert {"10.0.0.1", "build.example"} <= set(authority.facts()["server"].names)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_any_address_is_no_name(authority, host):
    authority.ensure_server(host)
    assert host not in authority.facts()["server"].names


def test_a_new_authority_makes_a_new_server_certificate_for_the_same_names(authority):
    authority.ensure_server("build.example")
    before = authority.facts()
    authority.rotate()
    renewed = authority.facts()
    assert renewed["authority"] == before["authority"]
    assert renewed["server"].sha256 != before["server"].sha256
    authority.rotate(authority=True)
    after = authority.facts()
    assert after["authority"].sha256 != before["authority"].sha256
    assert after["server"].names == before["server"].names


def test_a_server_certificate_of_another_authority_is_replaced(authority, tmp_path, clock):
    other = Authority(tmp_path / "other", clock)
    for one in (authority, other):
        one.ensure_server("localhost")
    authority.server_path.write_bytes(other.server_path.read_bytes())
    foreign = authority.facts()["server"]
    authority.ensure_server("localhost")
    assert authority.facts()["server"].sha256 != foreign.sha256


def test_an_authority_that_has_expired_says_so_and_what_to_do(authority, clock):
    authority.ensure_server("localhost")
    clock.advance(3651 * _DAY_S)
    with pytest.raises(CertificateInvalid, match="authority expired at") as caught:
        authority.ensure_server("localhost")
    assert "certs rotate --ca" in str(caught.value.hint)
    authority.rotate(authority=True)
    authority.ensure_server("localhost")


def test_a_server_certificate_never_outlives_its_authority(authority, clock):
    authority.ensure_server("localhost")
    clock.advance(3640 * _DAY_S)
    authority.ensure_server("localhost")
    facts = authority.facts()
    assert facts["server"].not_after == facts["authority"].not_after


@pytest.mark.parametrize("lifetime_s", [0, -5, 4000 * _DAY_S, float("nan")])
def test_a_certificate_that_would_outlive_the_authority_is_refused(authority, lifetime_s):
    with pytest.raises(InvalidParameters, match="cannot be valid for"):
        authority.issue("ci", Role.VIEWER, lifetime_s=lifetime_s)


@pytest.mark.parametrize("name", ["", "x" * 65, "ü" * 40, "a\nb", "\udc80"])
def test_some_texts_are_no_names(authority, name):
    with pytest.raises(InvalidParameters, match="cannot issue a certificate"):
        authority.issue(name, Role.VIEWER, lifetime_s=1)


def test_a_misspelt_name_of_whose_certificate_is_to_be_revoked_gets_a_suggestion(authority):
    authority.issue("deploy", Role.VIEWER, lifetime_s=60)
    with pytest.raises(CertificateNotFound, match="none was issued to that name") as caught:
        authority.revoke("deplyo")
    assert caught.value.hint == 'did you mean "deploy"?'
    assert caught.value.details == {"name": "deplyo", "did_you_mean": "deploy"}


def test_our_own_certificate_is_looked_at_to_the_second(authority, clock, tmp_path):
    path = tmp_path / "client.pem"
    path.write_text(authority.issue("ci", Role.VIEWER, lifetime_s=100))
    check_own_certificate(path, clock.now() + timedelta(seconds=99))
    with pytest.raises(CertificateInvalid, match="it expired at") as caught:
        check_own_certificate(path, clock.now() + timedelta(seconds=100))
    assert "certs issue" in str(caught.value.hint)
    with pytest.raises(CertificateInvalid, match="not valid before"):
        check_own_certificate(path, clock.now() - timedelta(days=1))


@pytest.mark.parametrize("content", ["", "nonsense"])
def test_a_file_that_holds_something_else_is_named_and_kept(authority, content):
    authority.directory.mkdir()
    authority.authority_path.write_text(content)
    with pytest.raises(StorageError, match=r"authority\.pem: it holds no key and certificate"):
        authority.ensure_server("localhost")
    assert authority.authority_path.read_text() == content
