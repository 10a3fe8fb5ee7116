from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from harness import private_files
from harness.client import LOCAL, Context, Contexts
from harness.client.remote import Remote, open_remote, split_url
from harness.errors import ContextError, ContextNotFound

BUILD = Context("wss://build.example:7443", token_file="/t", ca="/ca.pem")
FILES = {"contexts.json", "contexts.lock"}


@pytest.fixture
def contexts(tmp_path: Path) -> Contexts:
    return Contexts.of_user({"XDG_CONFIG_HOME": str(tmp_path)})


def test_there_is_only_the_local_one_at_first_and_no_file(contexts):
    assert (contexts.all(), contexts.current) == ({}, LOCAL)
    assert not contexts.path.exists()


def test_contexts_are_kept_private_and_in_order(contexts):
    old = os.umask(0)
    try:
        contexts.add("build", BUILD)
        contexts.add("a", BUILD)
    finally:
        os.umask(old)
    assert list(contexts.all()) == ["build", "a"]
    assert contexts.find("build") == BUILD
    assert stat.S_IMODE(contexts.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(contexts.path.parent.stat().st_mode) == 0o700
    assert {path.name for path in contexts.path.parent.iterdir()} == FILES


def test_the_one_in_use_is_the_local_one_again_when_it_is_removed(contexts):
    contexts.add("build", BUILD)
    contexts.use("build")
    assert contexts.current == "build"
    contexts.remove("build")
    assert contexts.current == LOCAL


def test_what_two_add_at_the_same_time_is_there(contexts, monkeypatch):
    written, begun = private_files.write_private, threading.Event()
    lock = fcntl.flock

    def note_and_lock(descriptor: int, operation: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            begun.set()
        lock(descriptor, operation)

    def add_the_second() -> None:
        contexts.add("second", BUILD)
        begun.set()

    second = threading.Thread(target=add_the_second)

    def write_while_the_second_adds(path: Path, text: str) -> None:
        monkeypatch.setattr(private_files, "write_private", written)
        second.start()
        assert begun.wait(10)
        written(path, text)

    monkeypatch.setattr(fcntl, "flock", note_and_lock)
    monkeypatch.setattr(private_files, "write_private", write_while_the_second_adds)
    contexts.add("first", BUILD)
    second.join(10)
    assert list(contexts.all()) == ["first", "second"]


def test_what_a_full_disk_does_not_take_leaves_what_there_was(contexts, monkeypatch):
    contexts.add("build", BUILD)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ContextError, match="No space left on device"):
        contexts.add("other", BUILD)
    assert list(contexts.all()) == ["build"]
    assert {path.name for path in contexts.path.parent.iterdir()} == FILES


def test_a_misspelt_name_gets_a_suggestion(contexts):
    contexts.add("build", BUILD)
    for attempt in (contexts.find, contexts.use, contexts.remove):
        with pytest.raises(ContextNotFound) as caught:
            attempt("biuld")
        assert caught.value.hint == 'did you mean "build"?'
        assert caught.value.details == {"name": "biuld", "did_you_mean": "build"}


@pytest.mark.parametrize("name", ["", LOCAL, "-x", "a\n", "x" * 65])
def test_some_texts_are_no_names(contexts, name):
    with pytest.raises(ContextError, match="cannot add the context"):
        contexts.add(name, BUILD)


def test_a_name_is_taken_once(contexts):
    contexts.add("build", BUILD)
    with pytest.raises(ContextError, match="there is one of that name"):
        contexts.add("build", BUILD)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        '{"version": 2}',
        '{"version": "1"}',
        '{"version": null}',
        '{"contexts": {"a": {}}}',
        '{"contexts": [1]}',
        "\xff",
    ],
)
def test_a_file_of_something_else_is_named_and_kept(contexts, text):
    contexts.path.parent.mkdir()
    contexts.path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ContextError, match="contexts"):
        contexts.add("build", BUILD)
    assert contexts.path.read_bytes() == text.encode("latin-1")


def test_the_token_is_read_anew_and_never_shown(contexts, tmp_path):
    path = tmp_path / "token"
    path.write_text("hnt_1_geheim\n")
    remote = BUILD._replace(token_file=str(path)).remote()
    assert remote.token == "hnt_1_geheim"
    assert "geheim" not in f"{remote!r} {remote}"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xff"])
def test_a_token_that_cannot_be_read_is_named(tmp_path, content):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ContextError, match=r"cannot read the token in .*/token: "):
        BUILD._replace(token_file=str(path)).remote()


def test_an_address_is_host_and_port():
    assert split_url("wss://build.example:7443") == ("build.example", 7443)
    assert split_url("wss://[::1]:1/") == ("::1", 1)


@pytest.mark.parametrize(
    "url",
    [
        "ws://a:1", "https://a:1", "a:1", "wss://a", "wss://:1", "wss://a:x", "wss://a:99999",
        "wss://a:1/path", "wss://me:geheim@a:1",
        "wss://:geheim@a:1", "wss://@a:1", "wss://a:1?x=1", "wss://[::1:1", "",
    ],
)  # fmt: skip
def test_other_texts_are_no_address(url):
    with pytest.raises(ContextError, match="as the address of a daemon") as caught:
        split_url(url)
    assert "geheim" not in str(caught.value)


def test_a_context_is_stored_without_what_is_in_its_files(contexts, tmp_path):
    (tmp_path / "token").write_text("geheim")
    contexts.add("build", BUILD._replace(token_file=str(tmp_path / "token")))
    text = contexts.path.read_text()
    assert "geheim" not in text
    assert json.loads(text)["contexts"]["build"]["url"] == BUILD.url


def test_a_remote_is_a_value():
    assert Remote(url="wss://a:1") == Remote(url="wss://a:1")


@pytest.mark.parametrize("host", ["ü" * 70, "ü..b"])
async def test_what_cannot_be_the_name_of_a_host_is_told(host):
    with pytest.raises(ContextError, match=r"as the address of a daemon: .* is no name of a host"):
        await open_remote(Remote(url=f"wss://{host}:1"))
