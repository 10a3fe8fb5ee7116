"""The embedded server, as a process of its own, asked as Kubo's clients ask.

The bodies are those that kubo-rpc-client 7.1 and gnd 0.45 send.
"""

from __future__ import annotations

import io
import json
import signal
import socket
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from graph_test_daemon.ipfs.server.methods import METHODS

from .conftest import running_ipfs

EMPTY = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"
HELLO = "QmT78zSuBmuS4z925WZfrqQ1qHaJ56DQaTfyMUF7F8ff5o"
EMPTY_FOLDER = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"
BOUNDARY = "-----------------------------V1StGXR8_Z5jdHi6B-myT"


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ipfs") / "repo"


@pytest.fixture(scope="module")
def server(repo: Path) -> Iterator[httpx2.Client]:
    with (
        running_ipfs(repo) as (url, _),
        httpx2.Client(base_url=url, trust_env=False, timeout=10) as client,
    ):
        yield client


def form(*parts: tuple[str, str, bytes | None]) -> bytes:
    """Return a form as kubo-rpc-client writes it, byte for byte."""
    body = b""
    for index, (field, name, content) in enumerate(parts):
        kind = "application/x-directory" if content is None else "application/octet-stream"
        body += b"\r\n" if index else b""
        body += f"--{BOUNDARY}\r\n".encode()
        body += f'Content-Disposition: form-data; name="{field}"; filename="{name}"\r\n'.encode()
        body += f"Content-Type: {kind}\r\n\r\n".encode() + (content or b"")
    return body + f"\r\n--{BOUNDARY}--\r\n".encode()


def add(server: httpx2.Client, *parts: tuple[str, str, bytes | None], options: str = "") -> Any:
    """Add, as kubo-rpc-client does: in pieces, without a length. Return the lines."""
    body = form(*parts)
    size = max(7, len(body) // 100)
    answer = server.post(
        f"/api/v0/add?stream-channels=true&progress=false&{options}",
        content=(body[at : at + size] for at in range(0, len(body), size)),
        headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"},
    )
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def fault(answer: httpx2.Response, status: int = 500) -> str:
    """Return the message of an error in Kubo's form."""
    assert answer.status_code == status
    document = answer.json()
    assert (document["Code"], document["Type"]) == (0 if status == 500 else 1, "error")
    return str(document["Message"])


# ── adding ───────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_added_as_graph_cli_does(server: httpx2.Client, repo: Path) -> None:
    assert add(server, ("file", "", b"hello world\n")) == [
        {"Name": HELLO, "Hash": HELLO, "Size": "20"}
    ]
    assert (repo / "files" / HELLO).read_bytes() == b"hello world\n"
    answer = server.post("/api/v0/cat", params={"arg": HELLO})
    assert answer.content == b"hello world\n"
    assert server.post("/api/v0/pin/add", params={"arg": HELLO}).json() == {"Pins": [HELLO]}


def test_a_file_is_added_as_gnd_does(server: httpx2.Client) -> None:
    answer = server.post(
        "/api/v0/add?pin=true&wrap-with-directory=false",
        files={"path": ("subgraph.yaml", b"hello world\n", "application/octet-stream")},
    )
    assert answer.json() == {"Name": "subgraph.yaml", "Hash": HELLO, "Size": "20"}


def test_a_folder_is_added_with_its_files_before_it(server: httpx2.Client) -> None:
    lines = add(
        server,
        ("file", "d%2Fb.txt", b"b"),
        ("file-1?mode=0644&mtime=7", "d%2F%C3%A4", b"\3"),
        ("file-2", "d%2Fsub%2Fc", b""),
        ("dir-3", "d%2Fempty", None),
    )
    assert [line["Name"] for line in lines] == [
        "d/b.txt",
        "d/ä",
        "d/sub/c",
        "d/empty",
        "d/sub",
        "d",
    ]
    assert lines[3]["Hash"] == EMPTY_FOLDER
    listed = server.post("/api/v0/ls", params={"arg": lines[-1]["Hash"]}).json()
    (listing,) = listed["Objects"]
    assert [(link["Name"], link["Type"], link["Size"]) for link in listing["Links"]] == [
        ("b.txt", 2, 1),
        ("empty", 1, 0),
        ("sub", 1, 0),
        ("ä", 2, 1),
    ]
    streamed = server.post("/api/v0/ls", params={"arg": lines[-1]["Hash"], "stream": "true"})
    assert len(streamed.text.splitlines()) == 4
    assert server.post(f"/api/v0/cat?arg=/ipfs/{lines[-1]['Hash']}/sub/c").content == b""


def test_the_case_of_the_reference_for_folders(server: httpx2.Client) -> None:
    files = {"b.txt": b"b", "a.txt": b"a", "sub%2Fc": b"", "a": b"\1", "Z": b"\2", "ä": b"\3"}
    lines = add(server, *(("file", f"d%2F{name}", data) for name, data in files.items()))
    assert lines[-1] == {
        "Name": "d",
        "Hash": "QmVM6isP2MzfALtj58bhYtUuTMYWVm8yixp4puEFFtFJ2t",
        "Size": "371",
    }


def test_a_file_may_be_wrapped(server: httpx2.Client) -> None:
    lines = add(server, ("file", "a.txt", b"a"), options="wrap-with-directory=true")
    assert [line["Name"] for line in lines] == ["a.txt", ""]
    assert server.get(f"/ipfs/{lines[-1]['Hash']}/a.txt").text == "a"
    unnamed = add(server, ("file", "", b"a"), options="wrap-with-directory=true")
    assert unnamed[0]["Name"] == unnamed[0]["Hash"] == lines[0]["Hash"]


def test_a_file_of_many_blocks_is_sent_back_as_a_whole_and_in_parts(server: httpx2.Client) -> None:
    data = (bytes(range(251)) * 2789)[:700000]
    (line,) = add(server, ("file", "big", data), options="chunker=size-100000")
    big = line["Hash"]
    (line,) = add(server, ("file", "big", data))
    assert line["Hash"] == "QmNav21NqQ8tp1Ani5HavoK9WX8K1jagcQtnKa7ysporJC"
    for cid in (big, line["Hash"]):
        answer = server.post("/api/v0/cat", params={"arg": cid})
        assert (answer.content, answer.headers["x-content-length"]) == (data, "700000")
        part = server.post("/api/v0/cat", params={"arg": cid, "offset": 262140, "length": 9})
        assert part.content == data[262140:262149]


def test_cid_version_1_gives_raw_leaves(server: httpx2.Client, repo: Path) -> None:
    (line,) = add(server, ("file", "a", b"a"), options="cid-version=1")
    assert line["Size"] == "1"
    assert server.post(f"/api/v0/block/get?arg={line['Hash']}").content == b"a"
    assert (repo / "files" / line["Hash"]).read_bytes() == b"a"
    (line,) = add(server, ("file", "a", b"a"), options="cid-base=base32")
    assert line["Hash"].startswith("bafybei")


def test_only_hash_keeps_nothing(server: httpx2.Client) -> None:
    (line,) = add(server, ("file", "a", b"only hashed"), options="only-hash=true")
    answer = server.post("/api/v0/cat", params={"arg": line["Hash"]})
    assert "block was not found locally (offline)" in fault(answer)


def test_progress_is_told_while_the_body_comes(server: httpx2.Client) -> None:
    answer = server.post("/api/v0/add?progress=true", files={"file": ("x", bytes(600000))})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[-2:][0] == {"Name": "x", "Bytes": 600000}
    assert lines[-1]["Hash"]
    assert [line["Bytes"] for line in lines[:-1]] == sorted(line["Bytes"] for line in lines[:-1])


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ("trickle=true", '"trickle" is not supported'),
        ("hash=blake2b-256", "unrecognized hash function"),
        ("chunker=rabin", 'the chunker "rabin" is not supported'),
        ("chunker=size-0", "a chunk has 1 to"),
        ("cid-version=2", "unknown CID version: 2"),
        ("cid-version=x", "is no int"),
        ("pin=perhaps", "is no bool"),
        ("cid-base=base7", "unknown multibase"),
        ("max-file-links=1", "2 to 8192 links"),
        ("to-files=/x", '"to-files" is not supported'),
    ],
)
def test_an_option_that_cannot_be_kept_is_refused(
    server: httpx2.Client, options: str, cause: str
) -> None:
    answer = server.post(f"/api/v0/add?{options}", files={"file": b"x"})
    assert cause in fault(answer, 400)


def body_cases() -> Iterator[Any]:
    whole = form(("file", "a", b"a"))
    yield pytest.param(whole[:-10], "ends too early", id="cut")
    yield pytest.param(b"no form", "cannot be read", id="no form")
    yield pytest.param(form(), "", id="no part")
    yield pytest.param(form(("file", "%FF", b"a")), "is not UTF-8", id="name")
    yield pytest.param(form(("file", "a%2F" * 200, b"a")), "128 parts at most", id="deep")
    yield pytest.param(
        form(("file", "a", b"a")).replace(b"octet-stream", b"octet-stream" * 9000),
        "Maximum header size exceeded",
        id="header",
    )
    yield pytest.param(
        form(("file", "d%2Fa", b"a"), ("file", "d%2Fa", b"b")), "already has entry", id="twice"
    )
    yield pytest.param(
        form(("file", "d%2Fa", b"a"), ("file", "d%2Fa%2Fb", b"b")), "is a file, and", id="inside"
    )
    yield pytest.param(
        whole.replace(b"application/octet-stream", b"application/symlink"),
        "symbolic links are not supported",
        id="symlink",
    )


@pytest.mark.parametrize(("body", "cause"), list(body_cases()))
def test_a_body_that_cannot_be_added_is_refused(
    server: httpx2.Client, body: bytes, cause: str
) -> None:
    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    answer = server.post("/api/v0/add", content=body, headers=headers)
    assert cause in fault(answer, 400)


def test_a_request_that_is_no_form_is_refused(server: httpx2.Client) -> None:
    assert "file argument 'path' is required" in fault(server.post("/api/v0/add"), 400)


def test_a_name_does_not_lead_out(server: httpx2.Client, repo: Path) -> None:
    before = sorted(repo.parent.rglob("evil*"))
    lines = add(server, ("file", "..%2F..%2F..%2Fevil", b"x"), ("file", "%2Fd%2F..%2Fevil2", b"x"))
    assert [line["Name"] for line in lines] == ["evil", "evil2"]
    assert sorted(repo.parent.rglob("evil*")) == before == []


# ── reading, pins and blocks ─────────────────────────────────────────────────────────────────────


def test_what_is_not_there_and_what_is_no_path_are_told_in_kubos_words(
    server: httpx2.Client,
) -> None:
    add(server, ("file", "", b"hello world\n"), ("dir", "empty", None))
    missing = HELLO[:-1] + "p"
    assert "ipld: could not find" in fault(server.post(f"/api/v0/cat?arg={missing}"))
    assert "invalid cid" in fault(server.post("/api/v0/cat?arg=foo"))
    assert "invalid cid" in fault(server.post("/api/v0/block/get?arg=/ipns/example"))
    assert "is a directory" in fault(server.post(f"/api/v0/cat?arg={EMPTY_FOLDER}"))
    assert 'no link named "x"' in fault(server.post(f"/api/v0/cat?arg={EMPTY_FOLDER}/x"))
    twice = server.post("/api/v0/cat", params={"arg": [HELLO, HELLO]})
    assert "and 2 are given" in fault(twice, 400)
    assert 'argument "ipfs-path" is required' in fault(server.post("/api/v0/cat"), 400)
    assert "negative offset" in fault(server.post(f"/api/v0/cat?arg={HELLO}&offset=-1"), 400)


def test_only_post_reaches_methods(server: httpx2.Client) -> None:
    assert server.get("/api/v0/version").status_code == 405
    assert server.post("/api/v0/nonsense").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "arg=",
        "arg=/",
        "arg=%00",
        "arg=%FF",
        "arg=../..",
        "arg=/ipfs//",
        "arg=bafkqaaa/x",
        "arg=bafkqaaa&length=-1",
        "arg=bafkqaaa&offset=x",
        f"arg={EMPTY}{'/x' * 5000}",
        "arg=bafyreigyl6lpzxp2zbwg6zcsyzabvlahxfqzfp5pgsyvqeg5a5q2bvmzhi",
        "cid-base=base7&arg=bafkqaaa",
        "format=%00&cid-codec=x",
    ],
)
def test_no_question_is_more_than_refused(server: httpx2.Client, query: str) -> None:
    for method in METHODS:
        answer = server.post(f"/api/v0/{method}?{query}")
        if answer.status_code != 200:
            assert fault(answer, answer.status_code), method


def test_a_repository_that_is_gone_is_told(tmp_path: Path) -> None:
    with running_ipfs(tmp_path) as (url, _):
        (tmp_path / "tmp").rmdir()
        answer = httpx2.post(f"{url}/api/v0/add", files={"file": b"x"})
        assert "cannot use the repository: No such file" in fault(answer)


def test_a_page_of_another_site_is_refused(server: httpx2.Client) -> None:
    for origin, status in (
        ("http://evil.example", 403),
        ("null", 403),
        ("http://localhost:3", 200),
    ):
        answer = server.post("/api/v0/version", headers={"origin": origin})
        assert answer.status_code == status


def test_the_server_says_who_it_is(server: httpx2.Client, repo: Path) -> None:
    version = server.post("/api/v0/version").json()
    assert {*version} == {"Version", "Commit", "Repo", "System", "Golang"}
    assert server.post("/api/v0/id").json()["ID"].startswith("12D3Koo")
    stat = server.post("/api/v0/repo/stat").json()
    assert stat["RepoPath"] == str(repo)


def test_pins_are_listed_and_end(server: httpx2.Client) -> None:
    (line,) = add(server, ("file", "p", b"pinned"), options="pin-name=mine")
    cid = line["Hash"]
    ask = {"arg": cid, "names": "true"}
    listed = server.post("/api/v0/pin/ls", params=ask).json()
    assert listed == {"Keys": {cid: {"Type": "recursive", "Name": "mine"}}}
    streamed = server.post("/api/v0/pin/ls?stream=true&type=recursive").text.splitlines()
    assert {"Cid": cid, "Type": "recursive", "Name": ""} in map(json.loads, streamed)
    assert server.post(f"/api/v0/pin/rm?arg={cid}").json() == {"Pins": [cid]}
    assert "not pinned" in fault(server.post(f"/api/v0/pin/rm?arg={cid}"))
    assert f"path '{cid}' is not pinned" in fault(server.post(f"/api/v0/pin/ls?arg={cid}"))
    removed = server.post("/api/v0/repo/gc").text.splitlines()
    assert [{*json.loads(line)} for line in removed] == [{"Key"}] * len(removed) != []
    assert "could not find" in fault(server.post(f"/api/v0/cat?arg={cid}"))


def test_blocks_are_put_and_got(server: httpx2.Client) -> None:
    block = bytes.fromhex("0a0408021800")
    put = server.post("/api/v0/block/put?format=v0&pin=true", files={"data": block})
    assert put.json() == {"Key": EMPTY, "Size": 6}
    assert server.post(f"/api/v0/block/get?arg={EMPTY}").content == block
    assert server.post(f"/api/v0/block/stat?arg={EMPTY}").json() == {"Key": EMPTY, "Size": 6}
    put = server.post("/api/v0/block/put", files={"data": b"\1\2\3"})
    assert put.json()["Key"] == "bafkreiadsbmmn4waznesyuz3bjgrj33xzqhxrk6mz3ksq7meugrachh3qe"
    large = server.post("/api/v0/block/put", files={"data": bytes((2 << 20) + 1)})
    assert "over 2MiB" in fault(large, 400)


def test_a_cid_is_written_in_another_base(server: httpx2.Client) -> None:
    answer = server.post(f"/api/v0/cid/format?arg={HELLO}&b=base16").json()
    assert answer["Formatted"].startswith("f01701220")
    answer = server.post(f"/api/v0/cid/format?arg={HELLO}&v=1").json()
    assert (answer["CidStr"], answer["Formatted"][:4]) == (HELLO, "bafy")
    assert "the only format" in fault(server.post(f"/api/v0/cid/format?arg={HELLO}&f=%25v"), 400)


def test_get_sends_an_archive(server: httpx2.Client) -> None:
    long = "n" * 150
    lines = add(server, ("file", f"d%2F{long}", b"hello"), ("dir", "d%2Fe", None))
    answer = server.post("/api/v0/get", params={"arg": lines[-1]["Hash"]})
    with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
        root = lines[-1]["Hash"]
        assert archive.getnames() == [root, f"{root}/e", f"{root}/{long}"]
        member = archive.extractfile(f"{root}/{long}")
        assert member is not None
        assert member.read() == b"hello"


# ── the gateway ──────────────────────────────────────────────────────────────────────────────────


def test_the_gateway_serves_files_and_parts_of_them(server: httpx2.Client) -> None:
    add(server, ("file", "", b"hello world\n"))
    url = f"/ipfs/{HELLO}"
    whole = server.get(url)
    assert (whole.text, whole.headers["etag"]) == ("hello world\n", f'"{HELLO}"')
    head = server.head(url)
    assert (head.headers["content-length"], head.content) == ("12", b"")
    for asked, status, content in (
        ("bytes=2-4", 206, b"llo"),
        ("bytes=6-", 206, b"world\n"),
        ("bytes=-3", 206, b"ld\n"),
        ("bytes=0-99", 206, b"hello world\n"),
        ("bytes=12-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=4-2", 200, b"hello world\n"),
        ("bytes=0-1,3-4", 200, b"hello world\n"),
        ("lines=1", 200, b"hello world\n"),
    ):
        answer = server.get(url, headers={"range": asked})
        assert (answer.status_code, answer.content) == (status, content), asked
    assert server.get(url, headers={"if-none-match": f'"{HELLO}"'}).status_code == 304
    assert server.get("/ipfs/bafkqaaa").status_code == 200  # how graph-node looks for a gateway
    raw = server.get(url, params={"format": "raw"})
    assert raw.content == server.post(f"/api/v0/block/get?arg={HELLO}").content
    assert server.get(url, params={"format": "car"}).status_code == 400


def test_the_gateway_shows_folders(server: httpx2.Client) -> None:
    plain = add(server, ("file", "d%2F%3Cb%3E", b"b"))[-1]["Hash"]
    site = add(server, ("file", "s%2Findex.html", b"<p>hi"))[-1]["Hash"]
    assert "&lt;b&gt;" in server.get(f"/ipfs/{plain}", follow_redirects=True).text
    answer = server.get(f"/ipfs/{site}/")
    assert (answer.text, answer.headers["content-type"][:9]) == ("<p>hi", "text/html")


def test_the_gateway_says_what_is_wrong(server: httpx2.Client) -> None:
    assert server.get("/ipfs/foo").status_code == 400
    assert server.get(f"/ipfs/{HELLO[:-1]}p").status_code == 404
    assert server.post(f"/ipfs/{HELLO}").status_code == 405


# ── the process ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_when_it_is_told_to(tmp_path: Path, number: signal.Signals) -> None:
    with (
        running_ipfs(tmp_path / "repo") as (url, process),
        httpx2.Client(trust_env=False) as client,
    ):
        client.post(f"{url}/api/v0/version")  # a connection that stays open
        process.send_signal(number)
        assert process.wait(5) == 0


@contextmanager
def half_an_upload(url: str) -> Iterator[socket.socket]:
    """Give a connection on which the beginning of a body was sent."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 5) as connection:
        head = (
            f"POST /api/v0/add?progress=true HTTP/1.1\r\nHost: {host}\r\n"
            "Content-Length: 9000000\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        )
        body = form(("file", "a", bytes(300000)))[:-100]
        connection.sendall(head.encode() + body)
        told = b""
        while b'"Bytes"' not in told:  # until it has stored the first part
            told += connection.recv(4096)
        yield connection


def test_an_upload_that_is_broken_off_leaves_nothing_half(tmp_path: Path) -> None:
    with running_ipfs(tmp_path) as (url, _), httpx2.Client(trust_env=False) as client:
        with half_an_upload(url):
            assert any((tmp_path / "tmp").iterdir())
        for _ in range(200):  # the server is told of it meanwhile
            client.post(f"{url}/api/v0/version")
            if not any((tmp_path / "tmp").iterdir()):
                break
        assert [*(tmp_path / "tmp").iterdir()] == [*(tmp_path / "files").iterdir()] == []
        assert client.post(f"{url}/api/v0/pin/ls").json() == {"Keys": {}}
        assert client.post(f"{url}/api/v0/repo/gc").text.count("Key") == 1


def test_it_ends_although_an_upload_goes_on(tmp_path: Path) -> None:
    with running_ipfs(tmp_path) as (url, process), half_an_upload(url):
        process.terminate()
        assert process.wait(5) == 0


def test_content_outlives_a_server_that_is_killed(tmp_path: Path) -> None:
    with running_ipfs(tmp_path) as (url, process):
        answer = httpx2.post(f"{url}/api/v0/add", files={"file": b"hello world\n"})
        assert answer.json()["Hash"] == HELLO
        process.kill()
        process.wait()
    with running_ipfs(tmp_path) as (url, _):
        assert httpx2.post(f"{url}/api/v0/cat?arg={HELLO}").text == "hello world\n"
        assert HELLO in httpx2.post(f"{url}/api/v0/pin/ls").json()["Keys"]


def test_60_megabytes_need_little_memory(tmp_path: Path) -> None:
    piece = (bytes(range(251)) * 1045)[: 251 * 1000]

    def body() -> Iterator[bytes]:
        whole = form(("file", "big", b"!"))
        before, after = whole.split(b"!")
        yield before
        for left in range(60_000_000, 0, -len(piece)):
            yield piece[:left]
        yield after

    with running_ipfs(tmp_path) as (url, process):
        answer = httpx2.post(
            f"{url}/api/v0/add",
            content=body(),
            headers={"content-type": f"multipart/form-data; boundary={BOUNDARY}"},
            timeout=15,
        )
        assert answer.json()["Hash"] == "QmTu7pUMp18Pv3p6CMLymdjoq4u1WHZKzZVMasWvoTjVjB"
        status = Path(f"/proc/{process.pid}/status").read_text()
        peak_kib = int(status.partition("VmHWM:")[2].split()[0])
        assert peak_kib < 80 * 1024


def test_a_request_may_not_be_larger_than_allowed(tmp_path: Path) -> None:
    with running_ipfs(tmp_path, "--max-size", "1000") as (url, _):
        assert httpx2.post(f"{url}/api/v0/add", files={"file": bytes(100)}).status_code == 200
        answer = httpx2.post(f"{url}/api/v0/add", files={"file": bytes(2000)})
        assert "1000 bytes at most" in fault(answer, 400)


def test_what_cannot_be_served_is_one_line(tmp_path: Path) -> None:
    with running_ipfs(tmp_path) as (url, _):
        port = url.rpartition(":")[2]
        for arguments, cause in (
            ((str(tmp_path), "0"), "another server has it open"),
            ((str(tmp_path / "other"), port), "Address already in use"),
        ):
            command = [sys.executable, "-m", "graph_test_daemon.launch", "ipfs"]
            failed = subprocess.run(
                [*command, "--repo", arguments[0], "--port", arguments[1]],
                capture_output=True,
                text=True,
                check=False,
            )
            assert failed.returncode == 1
            assert cause in failed.stderr
            assert failed.stderr.count("\n") == 1
