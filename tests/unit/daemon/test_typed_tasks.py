"""Tasks that a plugin's class does, in a daemon, with a plugin of the tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.client import Client
from harness.client.results import TaskStatus
from harness.errors import InvalidTaskConfig, ServiceNotFound, UnknownTask, UnknownTaskType

from .test_methods import _up, daemon

pytestmark = pytest.mark.usefixtures("swept", "plugin")

CARVE = """
name: shop
tasks:
  sign:
    task_type: carve
    config: {file: sign.txt, text: open, times: %s}
  tell:
    type: process
    command: "sh -c 'echo ${tasks.sign.outputs.letters} of ${tasks.sign.outputs.text}'"
"""


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the daemon load the tests' plugin."""
    monkeypatch.setenv("HARNESS_PLUGINS", "tests.toy_plugin")


def ponder(how: str, more: str = "") -> str:
    config = f"{{how: {how}, on: {more}}}" if more else f"{{how: {how}}}"
    return f"name: shop\ntasks:\n  think: {{task_type: ponder, config: {config}}}\n"


async def _task(client: Client, name: str) -> TaskStatus:
    return next(t for t in await client.tasks.list(project="shop") if t["name"] == name)


async def _text(client: Client, unit: str, **filters: Any) -> str:
    async with client.logs.read(project="shop", units=[unit], **filters) as chunks:
        return "".join([chunk["text"] async for chunk in chunks])


async def _outcome(client: Client, source: Any, name: str, **options: Any) -> str:
    started = await client.tasks.run(source=source, tasks=[name], **options)
    ended = await client.operations.wait(id=started["id"], timeout_s=10)
    results = {result["unit"]: result["outcome"] for result in ended["results"]}
    return str(results[name])


async def test_a_task_is_done_by_its_class_and_its_outputs_are_used(tmp_path: Path) -> None:
    async with daemon(tmp_path, CARVE % 2) as (client, source):
        await _up(client, source)
        assert (tmp_path / "sign.txt").read_text() == "openopen"
        assert (await _task(client, "sign"))["outputs"] == {"text": "openopen", "letters": 8}
        assert await _text(client, "tell") == "8 of openopen\n"


async def test_output_of_its_commands_becomes_events_and_its_log(tmp_path: Path) -> None:
    async with daemon(tmp_path, CARVE % 1) as (client, source):
        await _up(client, source)
        events = await client.events.list(project="shop")
        events = [event for event in events if event["kind"] == "action-event"]
        told = [(event["data"]["name"], event["data"]["data"]) for event in events]
        progress = {"message": "carving", "done": 0.0, "total": 1.0}
        letters = [("carved", {"letter": letter}) for letter in "open"]
        assert told == [("progress", progress), *letters]
        assert {(e["unit"], e["data"]["action"]) for e in events} == {("sign", "execute")}
        out = ["carving", *(f"letter {letter}" for letter in "open")]
        assert (await _text(client, "sign", stream="stdout")).splitlines() == out
        assert await _text(client, "sign", stream="stderr") == "dust\n"


async def test_what_is_done_is_skipped_and_what_was_undone_is_done_again(tmp_path: Path) -> None:
    async with daemon(tmp_path, CARVE % 1) as (client, source):
        assert await _outcome(client, source, "sign") == "completed"
        assert await _outcome(client, source, "sign") == "skipped"
        assert await _outcome(client, source, "sign", force=True) == "completed"
        (tmp_path / "sign.txt").unlink()
        assert await _outcome(client, source, "sign") == "completed"


async def test_what_is_done_and_not_remembered_is_skipped_with_its_outputs(tmp_path: Path) -> None:
    (tmp_path / "sign.txt").write_text("openopen")
    async with daemon(tmp_path, CARVE % 2) as (client, source):
        assert await _outcome(client, source, "sign") == "skipped"
        assert (await _task(client, "sign"))["outputs"] == {"text": "openopen", "letters": 8}


async def test_what_is_done_without_outputs_is_never_done_again(tmp_path: Path) -> None:
    text = "name: shop\ntasks:\n  t: {task_type: note, config: {file: %s}}\n"
    (tmp_path / "a").touch()
    async with daemon(tmp_path, text % "a") as (client, source):
        assert await _outcome(client, source, "t") == "skipped"
        (tmp_path / "harness.yaml").write_text(text % "b")
        assert await _outcome(client, source, "t") == "completed"
        await client.tasks.reset(project="shop", tasks=["t"])
        assert await _outcome(client, source, "t") == "skipped"


async def test_what_the_stack_file_wants_besides_outranks_what_a_class_finds_done(
    tmp_path: Path,
) -> None:
    stack = (CARVE % 1).replace("task_type: carve\n", "task_type: carve\n    {}\n", 1)
    assert stack != CARVE % 1
    for number, (line, outcome) in enumerate(
        [("remember: never", "completed"), ("creates: [sign.txt]", "skipped")]
    ):
        directory = tmp_path / str(number)
        directory.mkdir()
        (directory / "sign.txt").write_text("open")
        async with daemon(directory, stack.replace("{}", line)) as (client, source):
            assert await _outcome(client, source, "sign") == outcome
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / "sign.txt").write_text("open")
    text = stack.replace("{}", "creates: [missing.txt]")
    async with daemon(tmp_path / "third", text) as (client, source):
        assert await _outcome(client, source, "sign") == "failed"
        assert "missing.txt" in str((await _task(client, "sign"))["message"])


async def test_a_class_that_cannot_tell_is_remembered_by_its_inputs(tmp_path: Path) -> None:
    async with daemon(tmp_path, ponder("quickly")) as (client, source):
        assert await _outcome(client, source, "think") == "completed"
        assert await _outcome(client, source, "think") == "skipped"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("in-vain", "cannot ponder: there is nothing to ponder on"),
        ("by-mistake", "cannot finish \"think\": KeyError: 'thought'"),
        ("no-more", 'cannot finish "think": SystemExit: no more'),
    ],
)
async def test_what_a_class_raises_is_why_its_task_failed(
    tmp_path: Path, how: str, reason: str
) -> None:
    async with daemon(tmp_path, ponder(how)) as (client, source):
        assert await _outcome(client, source, "think") == "failed"
        assert (await _task(client, "think"))["message"] == reason


async def test_a_stop_cancels_a_class_and_ends_its_commands(tmp_path: Path) -> None:
    async with daemon(tmp_path, ponder("with-a-command")) as (client, source):
        await client.tasks.run(source=source, tasks=["think"])
        with anyio.fail_after(10):
            async with client.logs.read(project="shop", units=["think"], follow=True) as chunks:
                assert (await anext(chunks))["text"] == "begun\n"
            stopping = await client.services.stop(project="shop", units=["think"])
            await client.operations.wait(id=stopping["id"])
        assert (await _task(client, "think"))["state"] == "stopped"


async def test_a_class_sees_the_services_of_its_daemon(tmp_path: Path) -> None:
    text = (
        ponder("quickly", "db").replace("ponder,", "ponder, depends_on: [db],")
        + "services: {db: {type: fake}}\n"
    )
    async with daemon(tmp_path, text) as (client, source):
        await _up(client, source)
        assert (await _task(client, "think"))["outputs"] == {"state": "running"}


async def test_a_class_finds_the_services_of_a_type_and_has_a_place_for_what_it_keeps(
    tmp_path: Path,
) -> None:
    stack = ponder("aloud") + (
        "services:\n"
        "  ball: {type: process, service_type: toy, command: sleep 1000}\n"
        "  doll: {type: process, service_type: toy, command: sleep 1000}\n"
        "  door: {type: process, command: sleep 1000}\n"
    )
    async with daemon(tmp_path, stack) as (client, source):
        await _up(client, source)
        task = await _task(client, "think")
        assert task["outputs"] == {"toys": "ball, doll", "notes": "True"}


async def test_a_type_is_described_by_its_schemas(tmp_path: Path) -> None:
    async with daemon(tmp_path, CARVE % 1) as (client, source):
        await _up(client, source)
        info = await client.tasks.info(project="shop", task="sign")
        assert (info["task_type"], info["summary"]) == ("carve", "Carve a text.")
        assert info["parameters"]["properties"]["times"]["default"] == 1
        assert info["result"]["properties"].keys() == {"text", "letters"}
        assert info["events"].keys() == {"carved"}
        with pytest.raises(ServiceNotFound, match="it has a command in place of a task_type"):
            await client.tasks.info(project="shop", task="tell")
        with pytest.raises(UnknownTask):
            await client.tasks.info(project="shop", task="sing")


async def test_an_unknown_type_is_refused_before_anything_starts(tmp_path: Path) -> None:
    text = "name: shop\ntasks:\n  t: {task_type: crave}\n"
    async with daemon(tmp_path, text) as (client, source):
        with pytest.raises(UnknownTaskType) as raised:
            await client.services.up(source=source)
        assert raised.value.hint == 'did you mean "carve"?'


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ("{file: f, text: t, tiems: 2}", "config.tiems: unknown parameter"),
        ("{file: f}", "config.text: missing"),
        ("{file: f, text: t, times: many}", "config.times: input should be a valid integer"),
        ("{file: f, text: [t]}", "config.text: input should be a valid string"),
    ],
)
async def test_a_config_that_does_not_fit_is_refused_before_anything_starts(
    tmp_path: Path, config: str, cause: str
) -> None:
    text = f"name: shop\ntasks:\n  t: {{task_type: carve, config: {config}}}\n"
    async with daemon(tmp_path, text) as (client, source):
        with pytest.raises(InvalidTaskConfig) as raised:
            await client.services.up(source=source)
        assert f"'path': '{cause.partition(':')[0]}'" in str(raised.value.details)
        assert str(raised.value).startswith(f'cannot use "t": {cause}')


async def test_a_reference_in_a_config_is_checked_once_it_has_a_value(tmp_path: Path) -> None:
    text = """
name: shop
tasks:
  count:
    type: process
    command: "echo '{\\"n\\": \\"%s\\"}'"
    outputs: [n]
  t: {task_type: carve, config: {file: f, text: t, times: "${tasks.count.outputs.n}"}}
"""
    async with daemon(tmp_path, text % 3) as (client, source):
        await _up(client, source)
        assert (await _task(client, "t"))["outputs"] == {"text": "ttt", "letters": 3}
    (tmp_path / "other").mkdir()
    async with daemon(tmp_path / "other", text % "many") as (client, source):
        assert await _outcome(client, source, "t") == "failed"
        assert "config.times: input should be" in str((await _task(client, "t"))["message"])
