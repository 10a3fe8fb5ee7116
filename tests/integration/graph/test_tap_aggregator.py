"""The aggregator as a process: its protocol, its errors, and that nothing ends it but a signal."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import anyio
import pytest

from graph_test_daemon.errors import GraphError, RpcFault, Unreachable
from graph_test_daemon.http import Http
from graph_test_daemon.rpc import JsonRpc
from graph_test_daemon.tap import (
    AggregationRefused,
    AggregatorClient,
    ApiVersionUnsupported,
    Domain,
    Key,
    Receipt,
    ReceiptV2,
    Rule,
    SignedReceipt,
    TapError,
    Typing,
    Voucher,
    VoucherOrder,
    VoucherV2,
    document_of,
)

CONTRACT = "0x" + "11" * 20
DOMAIN = Domain(chain_id=1337, verifying_contract=CONTRACT)
TYPING = Typing(domain=DOMAIN)
GATEWAY, FRIEND, STRANGER = (Key.of_account(index) for index in range(3))
_RUNNING = re.compile(r"running on (http://[\d.]+:\d+)")
ARGUMENTS = ("--chain-id", "1337", "--verifying-contract", CONTRACT, "--account", "0")


def begun(*arguments: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "graph_test_daemon.launch", "tap-aggregator"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TAP_")}
    return subprocess.Popen(
        [*command, *arguments],
        env={**kept, **(env or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(*arguments: str, env: dict[str, str] | None = None) -> Iterator[str]:
    """Run an aggregator, which nothing but a signal has ended afterwards. Give its URL."""
    with begun("--port", "0", *arguments, env=env) as process:
        try:
            assert process.stderr is not None
            yield next(found[1] for line in process.stderr if (found := _RUNNING.search(line)))
            assert process.poll() is None
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == -signal.SIGTERM
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running(*ARGUMENTS, "--accept", FRIEND.address, "--max-request-bytes", "100000") as url:
        yield url


@pytest.fixture
async def client(url: str) -> AsyncIterator[AggregatorClient]:
    client = AggregatorClient(url)
    yield client
    await client.aclose()


@pytest.fixture
async def rpc(url: str) -> AsyncIterator[JsonRpc]:
    rpc = JsonRpc(url)
    yield rpc
    await rpc.aclose()


@pytest.fixture
async def http(url: str) -> AsyncIterator[Http]:
    http = Http(url)
    yield http
    await http.aclose()


def receipt(number: int, *, value: int = 10, signer: Key = GATEWAY) -> SignedReceipt:
    message = Receipt(
        allocation_id="0x" + "ab" * 20, timestamp_ns=number, nonce=number, value=value
    )
    return TYPING.sign(message, signer)


def receipt_v2(number: int, typing: Typing = TYPING) -> SignedReceipt:
    message = ReceiptV2(
        collection_id="0x" + "0c" * 32,
        payer="0x" + "01" * 20,
        data_service="0x" + "02" * 20,
        service_provider="0x" + "03" * 20,
        timestamp_ns=number,
        nonce=number,
        value=10,
    )
    return typing.sign(message, GATEWAY)


# ── vouchers ─────────────────────────────────────────────────────────────────────────────────────


async def test_receipts_become_a_signed_voucher(client: AggregatorClient) -> None:
    assert await client.versions() == ["0.0"]
    assert await client.domain() == DOMAIN
    first = await client.aggregate([receipt(1, value=2**100), receipt(2, signer=FRIEND)])
    assert TYPING.signer(first) == GATEWAY.address
    assert first.message.value_aggregate == 2**100 + 10
    second = await client.aggregate([receipt(3)], first)
    assert second.message.value_aggregate == 2**100 + 20
    assert second.message.timestamp_ns == 3


async def test_receipts_of_version_2_become_a_signed_voucher(client: AggregatorClient) -> None:
    voucher = await client.aggregate([receipt_v2(1), receipt_v2(2)])
    assert isinstance(voucher.message, VoucherV2)
    assert TYPING.signer(voucher) == GATEWAY.address
    assert (await client.aggregate([receipt_v2(3)], voucher)).message.value_aggregate == 30


async def test_the_order_of_vouchers_can_be_chosen() -> None:
    with running(*ARGUMENTS, "--voucher-order", "crate") as url:
        client = AggregatorClient(url)
        voucher = await client.aggregate([receipt_v2(1)])
        await client.aclose()
    assert TYPING.with_order(VoucherOrder.CRATE).signer(voucher) == GATEWAY.address
    assert TYPING.signer(voucher) != GATEWAY.address


async def test_a_broken_rule_has_its_name(client: AggregatorClient) -> None:
    for receipts, rule in (
        ([], Rule.NO_RECEIPTS),
        ([receipt(1), receipt(1)], Rule.DUPLICATE_RECEIPT),
        ([receipt(1, signer=STRANGER)], Rule.SIGNER_NOT_ACCEPTED),
        ([receipt(1, value=2**128 - 1), receipt(2)], Rule.VALUE_OVERFLOW),
    ):
        with pytest.raises(AggregationRefused) as caught:
            await client.aggregate(receipts)
        assert caught.value.rule is rule


async def test_another_version_is_refused_with_those_that_there_are(url: str) -> None:
    client = AggregatorClient(url, version="9.9")
    with pytest.raises(ApiVersionUnsupported) as caught:
        await client.aggregate([receipt(1)])
    assert caught.value.supported == ("0.0",)
    await client.aclose()


# ── the protocol ─────────────────────────────────────────────────────────────────────────────────


async def test_parameters_may_have_names(rpc: JsonRpc) -> None:
    given = {"api_version": "0.0", "receipts": [document_of(receipt(1))], "previous_rav": None}
    named = await rpc.call("aggregate_receipts", given)
    listed = await rpc.call("aggregate_receipts", ["0.0", given["receipts"]])
    assert named == listed
    assert list(named) == ["data"]


@pytest.mark.parametrize(
    ("method", "params", "code", "message"),
    [
        ("aggregate", [], -32601, "there is no method 'aggregate'"),
        ("x" * 1000, [], -32601, "there is no method"),
        ("api_versions", [1], -32602, "it takes 0, not 1"),
        ("aggregate_receipts", [], -32602, "'api_version' is missing"),
        ("aggregate_receipts", {"api": "0.0"}, -32602, "there is no parameter 'api'"),
        ("aggregate_receipts", ["0.1", []], -32001, "unsupported API version '0.1'"),
        ("aggregate_receipts", [{}, []], -32001, "unsupported API version {}"),
        ("aggregate_receipts", ["0.0", {}], -32602, "cannot read receipts: it is no list"),
        ("aggregate_receipts", ["0.0", [1]], -32602, "cannot read receipts[0]: it is no object"),
        ("aggregate_receipts", ["0.0", [], 1], -32602, "cannot read previous_rav"),
        ("aggregate_receipts", ["0.0", []], -32002, "there are none"),
        (
            "aggregate_receipts_v2",
            ["0.0", [document_of(receipt(1))]],
            -32602,
            "cannot read receipts[0].message.collection_id: it is missing",
        ),
    ],
)
async def test_a_call_that_does_not_fit_is_refused(
    rpc: JsonRpc, method: str, params: Any, code: int, message: str
) -> None:
    with pytest.raises(RpcFault) as caught:
        await rpc.call(method, params)
    assert caught.value.code == code
    assert message in caught.value.message


async def test_a_batch_is_answered_in_parts(http: Http) -> None:
    calls = [
        {"jsonrpc": "2.0", "id": 1, "method": "api_versions"},
        {"jsonrpc": "2.0", "method": "api_versions"},
        {"jsonrpc": "2.0", "id": "two", "method": "none"},
        {"no": "call"},
    ]
    answer = await http.request("POST", json=calls)
    first, second, third = json.loads(answer.body)
    assert first["result"]["data"]["versions_supported"] == ["0.0"]
    assert (second["id"], second["error"]["code"]) == ("two", -32601)
    assert (third["id"], third["error"]["code"]) == (None, -32600)
    silent = await http.request("POST", json=[calls[1], calls[1]])
    assert (silent.status, silent.body) == (204, b"")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe\xfd", -32700),
        (b'{"id": NaN}', -32700),
        (b'{"id": ' + b"9" * 5000 + b"}", -32700),
        (b"[" * 50_000, -32700),
        (b"[]", -32600),
        (b"[" + b"1," * 100 + b"1]", -32600),
        (b"7", -32600),
        (b'{"jsonrpc": "1.0", "id": 1, "method": "api_versions"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": 7}', -32600),
        (b'{"jsonrpc": "2.0", "id": {}, "method": "api_versions"}', -32600),
        (b'{"jsonrpc": "2.0", "id": true, "method": "api_versions"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "api_versions", "params": 7}', -32600),
        (b'{"jsonrpc": "2.0", "id": "\\ud800", "method": "\\ud800"}', -32601),
    ],
)
async def test_a_body_that_is_no_call_is_answered(http: Http, body: bytes, code: int) -> None:
    answer = await http.request("POST", content=body)
    assert (answer.status, json.loads(answer.body)["error"]["code"]) == (200, code)


async def test_a_large_request_is_refused(http: Http) -> None:
    answer = await http.request("POST", content=b" " * 100_001)
    assert answer.status == 413
    assert "more than 100000 bytes" in json.loads(answer.body)["error"]["message"]


async def test_other_paths_and_verbs_are_refused(http: Http) -> None:
    assert (await http.request("GET")).status == 405
    assert (await http.request("POST", "/other", json={})).status == 404


async def test_what_is_no_http_ends_nothing(url: str, client: AggregatorClient) -> None:
    host, port = url.removeprefix("http://").split(":")
    for sent in (
        b"\x16\x03\x01\x00",
        b"POST / HTTP/1.1\r\ncontent-length: 5\r\n\r\n{",
        b"\0" * 999,
    ):
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(sent)
    assert await client.versions() == ["0.0"]


async def test_calls_are_counted() -> None:
    with running(*ARGUMENTS) as url:
        client, http = AggregatorClient(url), Http(url)
        await client.aggregate([receipt(1), receipt(2)])
        with pytest.raises(AggregationRefused):
            await client.aggregate([])
        lines = (await http.request("GET", "/metrics")).text.splitlines()
        await client.aclose()
        await http.aclose()
    assert 'tap_aggregator_calls_total{method="aggregate_receipts",code="0"} 1' in lines
    assert 'tap_aggregator_calls_total{method="aggregate_receipts",code="-32002"} 1' in lines
    assert "tap_aggregator_receipts_total 2" in lines
    assert "tap_aggregator_value_total 20" in lines


# ── how it is begun and ended ────────────────────────────────────────────────────────────────────


async def test_variables_stand_for_arguments(tmp_path: Path) -> None:
    variables = {
        "TAP_PRIVATE_KEY": "0x" + "42" * 32,
        "TAP_PUBLIC_KEYS": f"{GATEWAY.address}, {FRIEND.address}",
        "TAP_DOMAIN_NAME": "GraphTallyCollector",
        "TAP_DOMAIN_VERSION": "2",
        "TAP_DOMAIN_CHAIN_ID": "0x539",
        "TAP_DOMAIN_VERIFYING_CONTRACT": CONTRACT,
    }
    domain = Domain(
        name="GraphTallyCollector", version="2", chain_id=1337, verifying_contract=CONTRACT
    )
    with running(env=variables) as url:
        client = AggregatorClient(url)
        assert await client.domain() == domain
        voucher = await client.aggregate([receipt_v2(1, Typing(domain=domain))])
        await client.aclose()
    key = tmp_path / "key"
    key.write_text("42" * 32)
    assert Typing(domain=domain).signer(voucher) == Key.from_file(key).address


@pytest.mark.parametrize(
    ("arguments", "env", "message"),
    [
        ((), {}, "neither --chain-id nor TAP_DOMAIN_CHAIN_ID is given"),
        (("--chain-id", "1"), {}, "neither --verifying-contract nor TAP_DOMAIN_VERIFYING"),
        (ARGUMENTS[:4], {}, "none of --account, --key-file and TAP_PRIVATE_KEY is given"),
        (ARGUMENTS[:4], {"TAP_PRIVATE_KEY": "sesame"}, "key from TAP_PRIVATE_KEY: it is not 64"),
        ((*ARGUMENTS[:4], "--key-file", "none"), {}, "from none: No such file or directory"),
        ((*ARGUMENTS, "--accept", "0x12"), {}, "cannot read accepted signers: '0x12' has 1"),
        (("--chain-id", "x"), {}, "invalid number value: 'x'"),
    ],
)
def test_what_cannot_be_begun_says_why(
    arguments: tuple[str, ...], env: dict[str, str], message: str
) -> None:
    with begun(*arguments, env=env) as process:
        _, told = process.communicate(timeout=15)
    assert process.returncode in (1, 2)
    assert message in told
    assert "sesame" not in told
    assert "Traceback" not in told


# ── other aggregators ────────────────────────────────────────────────────────────────────────────


@contextmanager
def answering(result: Any) -> Iterator[str]:
    """Answer every call with this result, whatever is asked. Give the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            body = json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def voucher_of(value: int) -> dict[str, Any]:
    message = Voucher(allocation_id="0x" + "ab" * 20, timestamp_ns=1, value_aggregate=value)
    return document_of(TYPING.sign(message, GATEWAY))


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        ({"data": voucher_of(11)}, TapError, "that of the receipts is"),
        ({"data": {"message": {}}}, Unreachable, "its voucher is none: cannot read voucher.sig"),
        ({"data": None}, Unreachable, "its voucher is none"),
        ([], Unreachable, "its answer has no data"),
    ],
)
async def test_a_voucher_that_is_not_that_of_the_receipts_is_refused(
    result: Any, error: type[GraphError], message: str
) -> None:
    with answering(result) as url:
        client = AggregatorClient(url)
        with pytest.raises(error) as caught:
            await client.aggregate([receipt(1)])
        await client.aclose()
    assert message in str(caught.value)


async def test_a_domain_is_read_as_other_aggregators_write_it() -> None:
    with answering({"data": {**DOMAIN.data, "chainId": "0x539", "salt": None}}) as url:
        client = AggregatorClient(url)
        assert await client.domain() == DOMAIN
        await client.aclose()
    with answering({"data": {"name": "TAP", "version": "1", "chainId": "x"}}) as url:
        client = AggregatorClient(url)
        with pytest.raises(Unreachable, match="its domain is none"):
            await client.domain()
        await client.aclose()
