"""Forms: however they are cut, and whatever they name."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph_test_daemon.ipfs.server.faults import BadRequest
from graph_test_daemon.ipfs.server.multipart import Form, Part, PartEnd
from graph_test_daemon.ipfs.upload import Item, Upload

names = st.text(min_size=1, max_size=8).filter(lambda text: text.isprintable())


async def written(upload: Upload) -> bytes:
    """Return the body of an upload.

    The tests of drawn forms are plain functions: Hypothesis gives up examples in their middle, and
    a task of the test runner's that ends so is reported as lost by the garbage collector, in the
    middle of whatever another test does.
    """
    return b"".join([piece async for piece in upload.pieces()])


def read(content_type: str, body: bytes, cuts: list[int]) -> list[Part | bytes | PartEnd]:
    """Return what a form has when it comes in pieces; content of one part as one."""
    form = Form(content_type)
    found: list[Part | bytes | PartEnd] = []
    for start, stop in zip([0, *cuts], [*cuts, len(body)], strict=True):
        for each in form.feed(body[start:stop]):
            if isinstance(each, bytes) and isinstance(found[-1], bytes):
                found[-1] += each
            else:
                found.append(each)
    form.finish()
    return found


@given(
    st.lists(st.tuples(names, st.none() | st.binary(max_size=40)), min_size=1, max_size=4),
    st.data(),
)
def test_what_the_client_writes_is_read_however_it_is_cut(
    parts: list[tuple[str, bytes | None]], choice: st.DataObject
) -> None:
    upload = Upload([Item(name, content) for name, content in parts])
    body = anyio.run(written, upload)
    cuts = choice.draw(st.lists(st.integers(0, len(body)), max_size=6).map(sorted))
    expected: list[Part | bytes | PartEnd] = []
    for name, content in parts:
        path = tuple(part for part in name.split("/") if part not in ("", ".", ".."))
        expected.append(Part(path, content is None))
        expected += [content] if content else []
        expected.append(PartEnd())
    if not any(part == ".." for name, _ in parts for part in name.split("/")):
        assert read(upload.content_type, body, cuts) == expected


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b", "%2e%2e"]), max_size=9))
def test_no_name_leads_out(parts: list[str]) -> None:
    name = quote("/".join(parts), safe="")
    body = f'--x\r\nContent-Disposition: form-data; filename="{name}"\r\n\r\n\r\n--x--\r\n'
    (part, _) = read("multipart/form-data; boundary=x", body.encode(), [])
    assert isinstance(part, Part)
    assert not {"..", ".", ""} & {*part.path}


@given(st.binary(max_size=60))
def test_no_body_is_more_than_refused(body: bytes) -> None:
    with suppress(BadRequest):
        read("multipart/form-data; boundary=x", b"--x\r\n" + body, [])


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "multipart/form-data", "multipart/form-data; boundary=" + "x" * 500],
)
def test_what_is_no_form_is_refused(content_type: str) -> None:
    with pytest.raises(BadRequest):
        Form(content_type)
