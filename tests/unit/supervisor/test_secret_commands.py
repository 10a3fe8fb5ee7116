"""Secrets that a program prints."""

from __future__ import annotations

import os

import anyio
import pytest

from harness.model import Hooks, SecretSpec
from harness.supervisor.masking import forms, masked
from tests.processes import is_alive
from tests.unit.supervisor.scene import Scene, hook, service, task

pytestmark = pytest.mark.usefixtures("swept")

ENV = {"PATH": "/usr/bin:/bin"}


def printing(line: str, **more: object) -> dict[str, SecretSpec]:
    argv = ("/bin/sh", "-c", line)
    return {"x": SecretSpec(name="x", command=argv, **more)}  # type: ignore[arg-type]


async def test_what_the_program_printed_is_the_secret_without_its_last_line_end(
    play: Scene,
) -> None:
    play.client_env = {**ENV, "WORD": "pass"}
    await play.brought_up(
        service("a", env={"K": "-${secrets.x}-"}),
        secrets=printing("echo $WORD1; echo; echo ${WORD}2"),
    )
    assert play.executor.requests["a"].env["K"] == "-\n\npass2-"


async def test_a_program_without_a_shell_gets_its_arguments_as_they_are(play: Scene) -> None:
    play.client_env = {**ENV, "WHO": "me; you"}
    secrets = {"x": SecretSpec(name="x", command=("printf", "%s|", "$(id)", "${WHO}"))}
    await play.brought_up(service("a", env={"K": "${secrets.x}"}), secrets=secrets)
    assert play.executor.requests["a"].env["K"] == "$(id)|me; you|"


async def test_it_runs_once_for_each_start_of_what_uses_it(play: Scene) -> None:
    play.client_env = ENV
    line = f"echo run >> {play.directory}/runs; echo secret"
    hooks = Hooks(pre_start=(hook("test ${secrets.x} = secret"),))
    unit = service("a", env={"K": "${secrets.x}", "L": "${secrets.x}"}, hooks=hooks)
    await play.brought_up(unit, service("b"), secrets=printing(line))
    runs = play.directory / "runs"
    assert runs.read_text() == "run\n"
    await play.brought_up(unit, service("b"), secrets=printing(line))
    assert runs.read_text() == "run\n"


async def test_one_that_nothing_uses_does_not_run(play: Scene) -> None:
    play.client_env = ENV
    await play.brought_up(service("a"), secrets=printing(f"touch {play.directory}/ran; echo x"))
    assert not (play.directory / "ran").exists()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("echo geheim; echo wrong vault >&2; exit 3", "its command: exit status 3: wrong vault"),
        ("echo geheim; echo no geheim >&2; exit 1", "its command: exit status 1: no ********"),
        ("kill -9 $$$$", "its command: "),
        ("true", "its command printed nothing"),
        (r"printf '\377'", "what its command printed is not UTF-8 text"),
        (r"printf 'a\0b'", "its command printed a NUL"),
        ("head -c 2000000 /dev/zero | tr '\\0' x", "its command printed too much"),
    ],
)
async def test_a_program_that_fails_is_the_reason_why_nothing_starts(
    play: Scene, line: str, reason: str
) -> None:
    play.client_env = ENV
    await play.brought_up(service("a", env={"K": "${secrets.x}"}), secrets=printing(line))
    said = play.reason("a") or ""
    assert said.startswith('it could not be started: cannot read the secret "x": ')
    assert reason.partition(" (")[0] in said
    assert "geheim" not in said


async def test_a_program_that_takes_too_long_is_ended(play: Scene) -> None:
    play.client_env = ENV
    secrets = printing("sleep 1000", timeout_s=0.1)
    with anyio.fail_after(10):
        await play.brought_up(service("a", env={"K": "${secrets.x}"}), secrets=secrets)
    assert "its command took longer than 0.1 s" in (play.reason("a") or "")


async def test_what_a_program_leaves_behind_ends_with_it(play: Scene) -> None:
    play.client_env = ENV
    pid = play.directory / "pid"
    os.mkfifo(play.directory / "begun")
    child = f"echo $$ > {pid}; echo > {play.directory}/begun; exec sleep 1000"
    line = f"setsid sh -c '{child}' >/dev/null 2>&1 & read -r _ < {play.directory}/begun; echo x"
    line = line.replace("$$", "$$$$")  # in a stack file
    await play.brought_up(service("a", env={"K": "${secrets.x}"}), secrets=printing(line))
    assert play.executor.requests["a"].env["K"] == "x"
    assert not is_alive(int(pid.read_text()))


async def test_a_secret_that_a_program_is_given_is_not_in_the_reason(play: Scene) -> None:
    play.client_env = {**ENV, "KEY": "/no/geheim"}
    secrets = {
        "key": SecretSpec(name="key", env="KEY"),
        "x": SecretSpec(name="x", command=("${secrets.key}", "read")),
    }
    await play.brought_up(service("a", env={"K": "${secrets.x}"}), secrets=secrets)
    said = play.reason("a") or ""
    assert 'cannot read the secret "x": ' in said
    assert "********" in said
    assert "geheim" not in said


async def test_a_program_that_is_not_there_is_named(play: Scene) -> None:
    play.client_env = ENV
    secrets = {"x": SecretSpec(name="x", command=("no-such-vault", "read"))}
    await play.brought_up(task("a", env={"K": "${secrets.x}"}), secrets=secrets)
    assert "no-such-vault" in (play.reason("a") or "")


def test_a_secret_is_masked_in_every_form() -> None:
    secret = 'line one\nsecond "line"\nit\'s the third'
    secrets = forms([secret])
    for text in (
        secret,
        repr(secret),
        'the second "line" of it',
        "x it's the third",
        str([secret]),
    ):
        shown = masked(text, secrets)
        assert not any(part in shown for part in ("one", "second", "third")), shown
    assert masked({"a": ("line one",)}, secrets) == {"a": ["********"]}


def test_of_two_secrets_the_longer_one_is_masked_whole() -> None:
    assert masked("password1", forms(["password", "password1"])) == "********"
