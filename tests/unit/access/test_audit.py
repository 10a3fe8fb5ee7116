from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path

import pytest

from harness.access import LOCAL_ADMIN, AuditEntry, AuditLog, read_audit
from tests.fakes.clock import FakeClock


def entry(number: int = 0, **params: object) -> AuditEntry:
    return AuditEntry(
        who=LOCAL_ADMIN, what="services.stop", result="ok", params={"number": number, **params}
    )


def numbers(path: Path, *, tail: int | None = None) -> list[int]:
    return [found["params"]["number"] for found in read_audit(path, tail=tail)]


def test_an_entry_says_who_what_when_and_how_it_ended(tmp_path):
    path = tmp_path / "audit.log"
    AuditLog(path, FakeClock()).write(entry(project="shop"))
    (found,) = read_audit(path)
    assert found == {
        "version": 1,
        "at": "2026-01-01T00:00:00.000+00:00",
        "who": "local",
        "role": "admin",
        "how": "socket",
        "address": None,
        "what": "services.stop",
        "params": {"number": 0, "project": "shop"},
        "result": "ok",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_environments_input_and_secrets_are_not_in_it(tmp_path):
    path = tmp_path / "audit.log"
    log = AuditLog(
        path, FakeClock(), masked=lambda value: json.loads(json.dumps(value).replace("hush", "***"))
    )
    log.write(
        entry(
            source={"files": ["/a"], "env": {"TOKEN": "geheim"}},
            data="geheim",
            parameters={"password": "geheim"},
            argv=["curl", "-u", "me:hush"],
        )
    )
    text = path.read_text()
    assert "geheim" not in text
    assert "hush" not in text
    (found,) = read_audit(path)
    assert found["params"]["source"] == {"files": ["/a"], "env": "<1 items>"}
    assert found["params"]["argv"] == ["curl", "-u", "me:***"]


def test_a_secret_in_a_message_is_masked_also_where_the_text_is_cut(tmp_path):
    path = tmp_path / "audit.log"
    log = AuditLog(path, FakeClock(), masked=lambda value: str(value).replace("geheim", "***"))
    message = f"{'x' * 196}geheim"
    log.write(AuditEntry(what="x", result="action-failed", message=message))
    (found,) = read_audit(path)
    assert found["message"] == f"{'x' * 196}***"


def test_what_is_large_or_deep_is_cut(tmp_path):
    path = tmp_path / "audit.log"
    deep: object = 1
    for _ in range(1_000):
        deep = [deep]
    AuditLog(path, FakeClock()).write(entry(units=["x" * 10_000] * 1_000, deep=deep))
    assert path.stat().st_size < 50 * 300


def test_files_are_rotated_and_few_are_kept(tmp_path):
    path = tmp_path / "audit.log"
    log = AuditLog(path, FakeClock(), max_bytes=1_000)
    for number in range(100):
        log.write(entry(number))
    files = sorted(tmp_path.iterdir())
    assert len(files) == 4
    assert all(file.stat().st_size <= 1_000 for file in files)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    kept = numbers(path)
    assert kept == list(range(kept[0], 100))
    assert numbers(path, tail=3) == [97, 98, 99]


def test_the_next_daemon_goes_on_with_the_file(tmp_path):
    path = tmp_path / "audit.log"
    for number in range(2):
        log = AuditLog(path, FakeClock())
        log.write(entry(number))
        log.close()
    assert numbers(path) == [0, 1]


def test_a_line_that_was_cut_short_costs_no_other(tmp_path):
    path = tmp_path / "audit.log"
    path.write_bytes(b'{"version":1,"wh')
    AuditLog(path, FakeClock()).write(entry(7))
    assert numbers(path) == [7]


def test_a_full_disk_is_told_once_and_stops_nothing(tmp_path, monkeypatch, caplog):
    path = tmp_path / "audit.log"
    log = AuditLog(path, FakeClock())

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        log.write(entry(1))
        log.write(entry(2))
    assert len(caplog.records) == 1
    log.write(entry(3))
    assert numbers(path) == [3]


def test_a_line_that_the_disk_took_by_half_costs_no_other_and_is_told(
    tmp_path, monkeypatch, caplog
):
    path = tmp_path / "audit.log"
    log = AuditLog(path, FakeClock())
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, line: real(file, line[:10]))
        log.write(entry(1))
    assert "Cannot write the audit log" in caplog.text
    log.write(entry(2))
    assert numbers(path) == [2]


def test_a_directory_in_the_way_stops_nothing(tmp_path):
    path = tmp_path / "audit.log"
    path.mkdir()
    AuditLog(path, FakeClock()).write(entry())
    with pytest.raises(OSError, match="Is a directory"):
        list(read_audit(path))
