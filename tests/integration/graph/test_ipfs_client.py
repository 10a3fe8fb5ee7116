"""The client, and the actions, against the embedded server."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, ClassVar

import anyio
import pytest

from graph_test_daemon.errors import Unreachable
from graph_test_daemon.ipfs import Entry, Ipfs, Uploaded
from graph_test_daemon.ipfs.errors import ContentNotFound, InvalidCid, IpfsFault
from graph_test_daemon.ipfs.service import IpfsService
from graph_test_daemon.ipfs.upload import Item
from harness.errors import HarnessError, RemoteFailure
from harness.testing import ServiceTypeContract

from .conftest import running_ipfs

EMPTY = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"
HELLO = "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"
MISSING = HELLO[:-1] + "p"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_ipfs(tmp_path_factory.mktemp("ipfs")) as (found, _):
        yield found


@pytest.fixture
async def ipfs(url: str) -> AsyncIterator[Ipfs]:
    client = Ipfs(url)
    yield client
    await client.aclose()


def folder(directory: Path) -> Path:
    top = directory / "site"
    (top / "sub" / "empty").mkdir(parents=True)
    (top / "index.html").write_text("hello world\n")
    (top / "sub" / "ä ?+%").write_bytes(bytes(600000))
    (top / ".hidden").write_text("x")
    return top


async def test_content_is_added_and_read(ipfs: Ipfs) -> None:
    added = await ipfs.add_bytes(b"hello world\n")
    assert added == Uploaded(name=HELLO, cid=HELLO, size=20)
    assert await ipfs.cat(HELLO) == b"hello world\n"
    assert await ipfs.block(HELLO) == b"\n\x12\x08\x02\x12\x0chello world\n\x18\x0c"
    assert (await ipfs.id()).startswith("12D3Koo")
    assert await ipfs.version()


async def test_a_file_is_added_under_its_name(ipfs: Ipfs, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello world\n")
    added = await ipfs.add_file(tmp_path / "a.txt")
    assert (added.name, added.cid) == ("a.txt", HELLO)


async def test_a_folder_comes_back_as_it_was(ipfs: Ipfs, tmp_path: Path) -> None:
    top = folder(tmp_path)
    sent: list[Item] = []

    async def tell(item: Item) -> None:
        sent.append(item)

    added = await ipfs.add_folder(top, sent=tell)
    names = ["site", "site/index.html", "site/sub", "site/sub/empty", "site/sub/ä ?+%"]
    assert [item.name for item in sent] == names
    assert sorted(each.name for each in added) == names
    assert added[-1].name == "site"
    assert [(entry.name, entry.kind) for entry in await ipfs.ls(added[-1].cid)] == [
        ("index.html", "file"),
        ("sub", "folder"),
    ]
    assert await ipfs.get(added[-1].cid, tmp_path / "back" / "site") == 600012
    back = tmp_path / "back" / "site"
    assert (back / "sub" / "ä ?+%").read_bytes() == bytes(600000)
    assert (back / "sub" / "empty").is_dir()
    assert sorted(path.name for path in back.iterdir()) == ["index.html", "sub"]
    hidden = await ipfs.add_folder(top, hidden=True)
    assert ".hidden" in {entry.name for entry in await ipfs.ls(hidden[-1].cid)}
    assert await ipfs.ls(f"{added[-1].cid}/index.html") == []
    assert Entry(name="empty", cid=added[-3].cid, size=0, kind="folder") in await ipfs.ls(
        f"{added[-1].cid}/sub"
    )


async def test_a_get_that_fails_leaves_nothing(ipfs: Ipfs, tmp_path: Path) -> None:
    await ipfs.add_bytes(b"hello world\n")
    with pytest.raises(ContentNotFound):
        await ipfs.get(MISSING, tmp_path / "a")
    (tmp_path / "there").write_text("mine")
    with pytest.raises(IpfsFault, match="exists already"):
        await ipfs.get(HELLO, tmp_path / "there")
    with pytest.raises(IpfsFault, match="there: File exists"):
        await ipfs.get(HELLO, tmp_path / "there" / "below")
    assert os.listdir(tmp_path) == ["there"]


async def test_what_cannot_be_added_is_named(ipfs: Ipfs, tmp_path: Path) -> None:
    with pytest.raises(IpfsFault, match=r"cannot add .*missing: No such file"):
        await ipfs.add_file(tmp_path / "missing")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "link").symlink_to("x")
    with pytest.raises(IpfsFault, match=r"cannot add .*link: it is a symbolic link"):
        await ipfs.add_folder(tmp_path / "d")


async def test_what_cannot_be_read_is_told_apart(ipfs: Ipfs) -> None:
    await ipfs.add_bytes(b"hello world\n")
    with pytest.raises(ContentNotFound, match=MISSING):
        await ipfs.cat(MISSING)
    with pytest.raises(InvalidCid, match="foo"):
        await ipfs.cat("foo")
    with pytest.raises(IpfsFault, match="more than 5 bytes"):
        await ipfs.cat(HELLO, limit=5)
    assert await ipfs.cat(HELLO, limit=12)


async def test_pins_are_kept_and_let_go(ipfs: Ipfs) -> None:
    added = await ipfs.add_bytes(b"not pinned", pin=False)
    assert added.cid not in await ipfs.pins()
    await ipfs.pin(added.cid)
    assert (await ipfs.pins())[added.cid] == "recursive"
    await ipfs.unpin(added.cid)
    with pytest.raises(ContentNotFound, match="not pinned"):
        await ipfs.unpin(added.cid)


async def test_many_add_the_same_and_other_things_at_once(ipfs: Ipfs) -> None:
    contents = [bytes([number % 5]) * 300000 for number in range(20)]
    added: dict[int, str] = {}

    async def add(number: int) -> None:
        added[number] = (await ipfs.add_bytes(contents[number])).cid
        assert await ipfs.cat(added[number]) == contents[number]

    with anyio.fail_after(10):
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(add, number)
    assert len({*added.values()}) == 5


async def test_nobody_there_and_somebody_else_are_told(chain_url: str) -> None:
    for url, cause in (("http://127.0.0.1:1", "cannot reach"), (chain_url, "no answer of Kubo's")):
        other = Ipfs(url)
        with pytest.raises(Unreachable, match=cause):
            await other.version()
        with pytest.raises(Unreachable):
            await other.add_bytes(b"x")
        await other.aclose()


# ── actions ──────────────────────────────────────────────────────────────────────────────────────

STACK = f"""
version: "1"
name: content
services:
  ipfs:
    type: process
    service_type: ipfs
    command: ["{sys.executable}", -m, graph_test_daemon.launch, ipfs,
              --port, "${{ipfs.port}}", --repo, "${{ipfs.data_dir}}"]
    ports: {{ rpc: {{ port: auto, scheme: http }} }}
    health_check: {{ tcp: "${{ipfs.port}}" }}
"""


@pytest.mark.timeout(60)  # its first test loads a whole daemon
class TestActions(ServiceTypeContract):
    service_type = IpfsService
    stack = STACK
    service = "ipfs"
    calls: ClassVar[dict[str, dict[str, Any]]] = {
        "add": {"text": "hello world\n", "name": "hello.txt"},
        "cat": {"path": HELLO},
        "get": {"path": HELLO, "into": "hello.txt"},
        "ls": {"path": HELLO},
        "pin": {"path": HELLO},
        "list": {},
        "unpin": {"path": HELLO},
        "id": {},
        "to-bytes32": {"cid": HELLO},
        "from-bytes32": {"hash": "0x" + "12" * 32},
    }

    async def test_a_folder_is_added_with_events_for_all_that_is_in_it(
        self, tmp_path: Path
    ) -> None:
        folder(tmp_path)
        async with self.running(tmp_path) as (client, project):
            call = self.call(project, "add", {"path": "site"})
            with anyio.fail_after(10):
                async with client.actions.start(**call) as run:
                    told = [event async for event in run]
                    result = await run.result()
        assert result["files"] == 5
        added = [event["data"] for event in told if event["name"] == "file-added"]
        assert {each["path"]: each["cid"] for each in added}["site"] == result["cid"]
        assert [event["data"]["message"] for event in told if event["name"] == "progress"] == [
            "sent site",
            "sent site/index.html",
            "sent site/sub",
            "sent site/sub/empty",
            "sent site/sub/ä ?+%",
        ]

    async def test_what_cannot_be_done_is_told_with_its_kind(self, tmp_path: Path) -> None:
        (tmp_path / "binary").write_bytes(b"\xff")
        async with self.running(tmp_path) as (client, project):

            async def ask(action: str, **parameters: Any) -> Any:
                with anyio.fail_after(10):
                    return await client.actions.run(**self.call(project, action, parameters))

            added = await ask("add", path="binary")
            assert await ask("cat", path=added["cid"], encoding="base64") == "/w=="
            for action, parameters, kind in (
                ("cat", {"path": added["cid"]}, "ipfs-fault"),
                ("cat", {"path": MISSING}, "content-not-found"),
                ("to-bytes32", {"cid": "foo"}, "invalid-cid"),
                ("add", {}, "ipfs-fault"),
                ("add", {"path": "nothing"}, "ipfs-fault"),
            ):
                with pytest.raises(HarnessError) as refused:
                    await ask(action, **parameters)
                assert isinstance(refused.value, RemoteFailure)
                assert refused.value.remote_kind == kind
