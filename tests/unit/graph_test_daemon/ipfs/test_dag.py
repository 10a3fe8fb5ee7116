"""Files and folders as blocks: the names are those of the reference implementation.

The cases were made with the JavaScript implementation of UnixFS, with Kubo's defaults.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_test_daemon.ipfs.blocks import Kind, Link, Node, UnixFs
from graph_test_daemon.ipfs.cid import RAW, Cid
from graph_test_daemon.ipfs.dag import (
    CHUNK_SIZE,
    Added,
    FileWriter,
    Form,
    children,
    directory,
    file_size,
    read,
)
from graph_test_daemon.ipfs.errors import IpfsFault

CASES = Path(__file__).parents[3] / "cases" / "ipfs"
LARGE = 10_000_000


class Blocks(dict[bytes, bytes]):
    """Blocks in memory."""

    def put(self, cid: Cid, block: bytes) -> None:
        self[cid.digest] = block

    def fetch(self, cid: Cid) -> bytes:
        return self[cid.digest]

    def add(self, data: bytes, form: Form, *, piece: int = 100_003) -> Added:
        writer = FileWriter(self.put, form)
        for at in range(0, len(data), piece):
            writer.write(data[at : at + piece])
        return writer.finish()


def pattern(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


def form(version: int, chunk: int = CHUNK_SIZE) -> Form:
    return Form(version=version, raw_leaves=version == 1, chunk_size=chunk)


@pytest.mark.parametrize(
    "case",
    json.loads((CASES / "files.json").read_text()),
    ids=lambda case: f"v{case['version']}-{case['size']}-by-{case['chunk']}",
)
def test_a_file_has_the_name_of_the_reference(case: dict[str, int | str]) -> None:
    version, size, chunk = int(case["version"]), int(case["size"]), int(case["chunk"])
    blocks = Blocks()
    added = blocks.add(pattern(size), form(version, chunk))
    assert (str(added.cid), added.total, added.size) == (case["cid"], case["total"], size)
    if size < LARGE:
        assert b"".join(read(added.cid, blocks.fetch)) == pattern(size)
        assert file_size(added.cid, blocks.fetch(added.cid)) == size


@pytest.mark.parametrize("version", [0, 1])
def test_a_folder_has_the_name_of_the_reference(version: int) -> None:
    blocks = Blocks()
    names = {"b.txt": b"b", "a.txt": b"a", "a": b"\1", "Z": b"\2", "ä": b"\3"}
    entries = {name: blocks.add(data, form(version)) for name, data in names.items()}
    inner = {"c": blocks.add(b"", form(version))}
    entries["sub"] = directory(blocks.put, inner, version=version)
    entries["."] = directory(blocks.put, entries, version=version)
    found = {f"d/{name}".removesuffix("/."): entry for name, entry in entries.items()}
    found["d/sub/c"] = inner["c"]
    cases = json.loads((CASES / "folder.json").read_text())
    expected = {case["path"]: case for case in cases if case["version"] == version}
    assert {path: (str(e.cid), e.total) for path, e in found.items()} == {
        path: (case["cid"], case["total"]) for path, case in expected.items()
    }


def test_names_that_everybody_knows() -> None:
    blocks = Blocks()
    empty = directory(blocks.put, {}, version=0)
    assert str(empty.cid) == "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"
    hello = blocks.add(b"hello world\n", form(0))
    assert str(hello.cid) == "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"


@given(
    st.binary(max_size=400),
    st.integers(1, 9),
    st.integers(2, 4),
    st.integers(1, 50),
    st.sampled_from((0, 1)),
    st.data(),
)
def test_any_part_of_any_file_is_read(
    data: bytes, chunk: int, links: int, piece: int, version: int, choice: st.DataObject
) -> None:
    blocks = Blocks()
    made = Form(version=version, raw_leaves=version == 1, chunk_size=chunk, max_links=links)
    added = blocks.add(data, made, piece=piece)
    assert b"".join(read(added.cid, blocks.fetch)) == data
    start = choice.draw(st.integers(0, len(data) + 2))
    stop = choice.draw(st.integers(start, len(data) + 2))
    assert b"".join(read(added.cid, blocks.fetch, start=start, stop=stop)) == data[start:stop]
    assert added.size == len(data)


@given(st.binary(min_size=1, max_size=60), st.integers(1, 9))
def test_how_a_file_comes_does_not_matter(data: bytes, piece: int) -> None:
    made = Form(chunk_size=7, max_links=2)
    assert Blocks().add(data, made, piece=piece) == Blocks().add(data, made, piece=len(data))


def test_reading_a_part_fetches_no_other() -> None:
    blocks = Blocks()
    added = blocks.add(pattern(1000), Form(chunk_size=10, max_links=4))
    asked: list[Cid] = []

    def fetch(cid: Cid) -> bytes:
        asked.append(cid)
        return blocks.fetch(cid)

    assert b"".join(read(added.cid, fetch, start=500, stop=503)) == pattern(1000)[500:503]
    assert len(asked) == 5  # one a level: 100 leaves by fours are four levels of nodes


def test_a_folder_too_large_for_one_block_is_refused() -> None:
    blocks = Blocks()
    entry = blocks.add(b"", form(0))
    entries = {f"{number:05}": entry for number in range(7000)}
    with pytest.raises(IpfsFault, match="cannot make a folder of 7000 entries"):
        directory(blocks.put, entries, version=0)


def test_a_folder_cannot_be_read_as_a_file() -> None:
    blocks = Blocks()
    folder = directory(blocks.put, {}, version=0)
    with pytest.raises(IpfsFault, match="is a directory"):
        list(read(folder.cid, blocks.fetch))


@pytest.mark.parametrize(
    "block",
    [
        b"\xff",
        b"\x0a\x7f",
        b"\x12\x02\x12\x00",
        b"\x1a\x00",
        b"\x0b",
        Node((), b"").encoded(),
        Node((), UnixFs(Kind.METADATA).encoded()).encoded(),
        Node((), b"\x08\x09").encoded(),
        Node((Link(Cid.of(b""), "", 1),), UnixFs(Kind.FILE, size=1).encoded()).encoded(),
    ],
)
def test_a_block_that_is_no_file_is_refused(block: bytes) -> None:
    cid = Cid.of(block)
    with pytest.raises(IpfsFault, match=f"cannot read {cid}"):
        list(read(cid, lambda _: block))


@given(st.binary(max_size=80))
def test_no_block_is_more_than_refused(block: bytes) -> None:
    cid = Cid.of(block)
    try:
        children(cid, block)
        file_size(cid, block)
    except IpfsFault:
        pass


def test_a_tree_that_is_too_deep_is_refused() -> None:
    blocks = Blocks()
    cid = blocks.add(b"a", form(0)).cid
    for _ in range(100):
        data = UnixFs(Kind.FILE, size=1, sizes=(1,)).encoded()
        block = Node((Link(cid, "", 1),), data).encoded()
        cid = Cid.of(block)
        blocks.put(cid, block)
    with pytest.raises(IpfsFault, match="its tree is too deep"):
        list(read(cid, blocks.fetch))


@given(st.lists(st.tuples(st.binary(max_size=3), st.text(max_size=5), st.integers(0, 1 << 63))))
def test_a_node_that_is_written_is_read(parts: list[tuple[bytes, str, int]]) -> None:
    links = tuple(
        Link(Cid.of(data, codec=RAW, version=1), name.encode("utf-8", "replace").decode(), total)
        for data, name, total in parts
    )
    node = Node(links, b"data")
    assert Node.read(node.encoded()) == node
