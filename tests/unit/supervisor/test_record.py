from __future__ import annotations

import json

import pytest

from harness.errors import StoreTooNew
from harness.model import ExitStatus, Goal, Handle, HealthState, ServiceState
from harness.supervisor.record import RECORD_VERSION, UnitRecord, decode_record, encode_record

FULL = UnitRecord(
    goal=Goal.UP,
    state=ServiceState.BACKOFF,
    health=HealthState.UNHEALTHY,
    stages={"booted": 0.5},
    generation=7,
    token="abc",
    handle=Handle(executor="process", data={"pid": 4, "list": [1, None]}, pid=4),
    exit=ExitStatus(signal=9),
    restarts=3,
    started_at="2026-01-01T00:00:00+00:00",
    since="2026-01-01T00:00:01+00:00",
    reason="ended by SIGKILL",
    fingerprint="f",
    fields={"command": "1"},
    ports={"http": 80},
    log_offsets={"stdout": 12},
    completed="hash",
    completed_at="2026-01-01T00:00:02+00:00",
    outputs={"a": {"b": [1, "x"]}},
)


@pytest.mark.parametrize("record", [UnitRecord(), FULL])
def test_a_record_comes_back_as_it_was(record: UnitRecord) -> None:
    assert decode_record(json.loads(json.dumps(encode_record(record)))) == record


def test_a_record_carries_its_version() -> None:
    assert encode_record(UnitRecord())["version"] == RECORD_VERSION


def test_a_record_of_a_newer_version_is_refused() -> None:
    newer = {**encode_record(FULL), "version": RECORD_VERSION + 1}
    with pytest.raises(StoreTooNew, match="cannot read a unit's record of version") as caught:
        decode_record(newer)
    assert caught.value.hint


def test_a_field_this_version_does_not_know_is_left_out() -> None:
    assert decode_record({**encode_record(FULL), "later": 1}) == FULL


def test_a_field_an_older_version_did_not_have_gets_its_default() -> None:
    older = encode_record(FULL)
    del older["stages"], older["log_offsets"]
    assert decode_record(older).stages == {}


def test_an_end_that_an_older_version_noted_has_no_cause():
    older = {**encode_record(FULL), "version": 1, "exit": {"code": 3, "signal": None}}
    assert decode_record(older).exit == ExitStatus(code=3)
