from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from harness.access import LOCAL_ADMIN, AuditEntry, Principal, Role
from harness.daemon.dispatcher import Dispatcher, outlives_connection, permit
from harness.daemon.session import Call
from harness.errors import ActionError, Forbidden
from harness.protocol import METHODS
from tests.unit.daemon.serving import HANDLERS, serving


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


VIEWER = Principal(name="v", role=Role.VIEWER, how="token")
OPERATOR = Principal(name="o", role=Role.OPERATOR, how="token")
ADMIN = Principal(name="a", role=Role.ADMIN, how="token")


@pytest.mark.parametrize("method", METHODS)
def test_a_viewer_changes_nothing_and_an_admin_may_all(method):
    permit(ADMIN, method, {})
    permit(LOCAL_ADMIN, method, {})
    if METHODS[method].changes:
        with pytest.raises(Forbidden, match='"v" is a viewer'):
            permit(VIEWER, method, {})


@pytest.mark.parametrize("method", METHODS)
def test_who_names_files_or_programs_of_the_daemons_machine_is_an_admin(method):
    taken = [f.name for f in fields(METHODS[method].params)]  # type: ignore[arg-type]
    for name in ("source", "document", "argv"):
        if name in taken:
            with pytest.raises(Forbidden, match="it needs an admin"):
                permit(OPERATOR, method, {name: {}})
    if method.partition(".")[0] in ("exec", "tokens"):
        with pytest.raises(Forbidden, match="it needs an admin"):
            permit(OPERATOR, method, {})


def test_an_operator_runs_the_workflows_that_a_project_has():
    permit(OPERATOR, "workflows.run", {"project": "shop", "document": None})
    permit(VIEWER, "workflows.info", {"project": "shop"})


def test_secrets_are_revealed_on_the_daemons_machine_only():
    permit(LOCAL_ADMIN, "services.env", {"reveal": True})
    permit(VIEWER, "services.env", {"reveal": False})
    with pytest.raises(Forbidden, match="on the daemon's machine only"):
        permit(ADMIN, "services.env", {"reveal": True})


async def test_what_changes_is_noted_and_nothing_else_and_errors_are_masked():
    noted: list[AuditEntry] = []
    handlers = {
        **HANDLERS,
        "services.stop": _fails,
        "services.start": HANDLERS["daemon.status"],
    }
    async with serving() as server:
        server.server.dispatcher = Dispatcher(
            handlers,
            audit=noted.append,
            masked=lambda value: json.loads(json.dumps(value).replace("hush", "***")),
        )
        async with server.client() as client:
            await client.services.status(project="shop")
            await client.services.start(project="shop", units=[])
            with pytest.raises(ActionError, match=r"cannot: \*\*\*") as caught:
                await client.services.stop(project="shop", units=[])
    assert (caught.value.hint, caught.value.details["x"]) == ("***", ["***"])
    assert [(entry.what, entry.result) for entry in noted] == [
        ("services.start", "ok"),
        ("services.stop", "action-error"),
    ]
    assert noted[0].who == LOCAL_ADMIN


async def _fails(_: Any, __: Call) -> None:
    raise ActionError("cannot: hush", hint="hush", details={"x": ["hush"]})
