"""Checks over HTTP, against servers that answer byte by byte as told."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import anyio
import pytest
import trustme

from harness.health import CheckResult, CheckRunner
from harness.model import CheckSpec, GraphqlCheck, HttpCheck, JsonRpcCheck
from tests.unit.health.scripted import ScriptedUnit
from tests.unit.health.servers import HttpService, free_port, http_service, response, tcp_service


async def run(check: CheckSpec, timeout_s: float = 5) -> CheckResult:
    with anyio.fail_after(10):
        return await CheckRunner().run(check, context=ScriptedUnit(), timeout_s=timeout_s)


async def ask(answer: bytes, timeout_s: float = 5, **fields: object) -> CheckResult:
    async with http_service(answer) as service:
        return await run(HttpCheck(url=service.url, **fields), timeout_s)  # type: ignore[arg-type]


def verdict(result: CheckResult) -> tuple[bool, str]:
    return result.ok, result.message


# ── status, headers, body ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [200, 204, 302, 399])
async def test_a_status_from_200_to_399_passes(status: int) -> None:
    assert verdict(await ask(response(status=status))) == (True, f"status {status}")


async def test_another_status_fails_and_the_body_says_why() -> None:
    result = await ask(response("still\nsyncing", status=503))
    assert verdict(result) == (
        False,
        "status 503, wanted 200 to 399 (first 13 bytes: still syncing)",
    )


async def test_only_listed_statuses_pass_when_there_is_a_list() -> None:
    assert (await ask(response(status=418), status=(418,))).ok
    result = await ask(response(status=200), status=(201, 204))
    assert verdict(result) == (False, "status 200, wanted 201, 204")


async def test_a_redirect_is_judged_and_not_followed() -> None:
    async with http_service(response(status=302, Location="/elsewhere")) as service:
        result = await run(HttpCheck(url=service.url, status=(302,)))
        assert result.ok
        assert len(service.requests) == 1


async def test_the_body_must_match() -> None:
    assert (await ask(response('{"synced": true}'), body='"synced": *true')).ok
    result = await ask(response("loading"), body="ready|done")
    assert verdict(result) == (
        False,
        "no match for /ready|done/ in body (first 7 bytes: loading)",
    )


async def test_a_body_that_is_not_text_is_shown_safely() -> None:
    result = await ask(response(b"\xff\x1b[2J" + b"x" * 500), body="ready")
    assert "\x1b" not in result.message
    assert "first 200 bytes" in result.message
    assert len(result.message) < 300


async def test_a_header_must_be_there_and_match() -> None:
    answer = response(X_Version="v1.2")
    assert (await ask(answer, headers={"x-version": r"^v1\."})).ok
    wrong = await ask(answer, headers={"X-Version": "^v2"})
    assert verdict(wrong) == (False, "no match for /^v2/ in header X-Version: v1.2")
    missing = await ask(answer, headers={"X-Other": "."})
    assert verdict(missing) == (False, "status 200, but no header X-Other")


async def test_a_pattern_that_backtracking_never_ends_is_judged_at_once() -> None:
    long = "a" * 500_000 + "!"
    found = await ask(response(long), body="(a+)+$")
    assert not found.ok
    assert found.message.startswith("no match for /(a+)+$/ in body")
    header = await ask(response(X_Long="a" * 5_000 + "!"), headers={"X-Long": "(a|aa)+$"})
    assert header.message.startswith("no match for /(a|aa)+$/ in header X-Long")


async def test_a_pattern_that_is_refused_says_why() -> None:
    result = await ask(response("x"), body="x(?=y)")
    assert result.message.startswith("/x(?=y)/ uses look-around ((?=)")


async def test_a_pattern_that_is_none_is_named() -> None:
    result = await ask(response("x"), body="(")
    assert not result.ok
    assert result.message.startswith("/(/ is no regular expression")


async def test_method_and_headers_are_sent_and_no_compression_is_asked_for() -> None:
    async with http_service(response()) as service:
        headers = {"X-Key": "1", "accept": "text/plain"}
        await run(HttpCheck(url=service.url, method="HEAD", request_headers=headers))
        head = service.requests[0][0]
    assert head.startswith("HEAD / HTTP/1.1\r\n")
    assert "X-Key: 1" in head
    assert "accept: text/plain" in head
    assert "*/*" not in head
    assert "Accept-Encoding: identity" in head


async def test_credentials_in_the_url_are_sent_as_basic_authorization() -> None:
    async with http_service(response()) as service:
        await run(HttpCheck(url=f"http://me:p%40ss@127.0.0.1:{service.port}/"))
        assert "Authorization: Basic bWU6cEBzcw==" in service.requests[0][0]


async def test_a_cookie_is_not_sent_back() -> None:
    async with http_service(response(Set_Cookie="a=b")) as service:
        runner = CheckRunner()
        for _ in range(2):
            await runner.run(HttpCheck(url=service.url), context=ScriptedUnit(), timeout_s=5)
        assert "cookie" not in service.requests[1][0].lower()


async def test_proxies_from_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert (await ask(response())).ok


# ── bodies without end, hanging and broken services ──────────────────────────────────────────────


async def test_only_the_first_mebibyte_of_a_body_is_read() -> None:
    async with http_service(b"HTTP/1.1 200 OK\r\n\r\n") as service:
        service.trickle = b"x" * 65536
        result = await run(HttpCheck(url=service.url, body="y"))
    assert verdict(result)[0] is False
    assert "no match for /y/" in result.message


async def test_a_stream_without_end_passes_when_no_body_is_asked_for() -> None:
    async with http_service(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    ) as service:
        assert verdict(await run(HttpCheck(url=service.url))) == (True, "status 200")


async def test_a_body_that_breaks_off_does_not_matter_when_no_body_is_asked_for() -> None:
    async def handler(stream: anyio.abc.ByteStream) -> None:
        await stream.receive()
        await stream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")

    async with tcp_service(handler) as port:
        assert (await run(HttpCheck(url=f"http://127.0.0.1:{port}"))).ok
        result = await run(HttpCheck(url=f"http://127.0.0.1:{port}", body="abc"))
        assert not result.ok


async def test_a_service_that_does_not_answer_fails_at_the_timeout() -> None:
    async with http_service(None) as service:
        result = await run(HttpCheck(url=service.url), timeout_s=0.1)
    assert verdict(result) == (False, "no answer within 0.1 s")


async def test_the_connection_is_closed_after_each_try() -> None:
    closed = anyio.Event()

    async def handler(stream: anyio.abc.ByteStream) -> None:
        await stream.receive()
        await stream.send(response("ok"))
        try:
            await stream.receive()
        except anyio.EndOfStream:
            closed.set()

    async with tcp_service(handler) as port:
        runner = CheckRunner()
        check = HttpCheck(url=f"http://127.0.0.1:{port}", body="ok")
        assert (await runner.run(check, context=ScriptedUnit(), timeout_s=5)).ok
        with anyio.fail_after(5):
            await closed.wait()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_nothing_listening_is_a_refused_connection(host: str) -> None:
    port = await free_port()
    result = await run(HttpCheck(url=f"http://{host}:{port}/"))
    assert verdict(result) == (False, "connection refused")


async def test_a_service_that_closes_at_once_gave_no_answer() -> None:
    async def handler(stream: anyio.abc.ByteStream) -> None:
        await stream.receive()

    async with tcp_service(handler) as port:
        result = await run(HttpCheck(url=f"http://127.0.0.1:{port}"))
    assert verdict(result) == (False, "the connection was closed without an answer")


async def test_a_service_that_speaks_something_else_gave_a_broken_answer() -> None:
    async with http_service(b"-ERR unknown command\r\n\r\n") as service:
        result = await run(HttpCheck(url=service.url), timeout_s=2)
    assert result.message.startswith("broken HTTP answer")


@pytest.mark.parametrize("url", ["127.0.0.1:80/x", "ftp://127.0.0.1", "", "http://", "http://a:b"])
async def test_a_url_that_is_none_is_a_failed_check(url: str) -> None:
    result = await run(HttpCheck(url=url))
    assert not result.ok
    assert "URL" in result.message


async def test_a_header_that_cannot_be_sent_is_a_failed_check() -> None:
    result = await ask(response(), request_headers={"X-Name": "a\nb"})
    assert not result.ok


async def test_a_certificate_the_machine_trusts_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    async with http_service(response("ok"), tls=server) as service:
        check = HttpCheck(url=f"https://127.0.0.1:{service.port}/", body="ok")
        assert verdict(await run(check)) == (True, "status 200")


async def test_a_service_that_speaks_no_tls_is_a_failed_check() -> None:
    async with http_service(response()) as service:
        result = await run(HttpCheck(url=f"https://127.0.0.1:{service.port}/"), timeout_s=1)
    assert not result.ok


async def test_path_query_and_fragment_are_sent_as_a_browser_would() -> None:
    async with http_service(response()) as service:
        await run(HttpCheck(url=f"{service.url}a b/é?q=1&r=[x]%20#top"))
        head = service.requests[0][0]
    assert head.startswith("GET /a%20b/%C3%A9?q=1&r=[x]%20 HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{service.port}\r\n" in head


async def test_an_interim_answer_and_chunks_are_understood() -> None:
    answer = (
        b"HTTP/1.1 103 Early Hints\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nre\r\n3\r\nady\r\n0\r\n\r\n"
    )
    assert (await ask(answer, body="^ready$")).ok


async def test_an_untrusted_certificate_is_named() -> None:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    service = HttpService(response())

    async def handler(stream: anyio.abc.ByteStream) -> None:
        await service.handle(stream)

    async with tcp_service(handler, tls=server) as port:
        result = await run(HttpCheck(url=f"https://127.0.0.1:{port}/"))
    assert not result.ok
    assert result.message.startswith("certificate not trusted")


# ── JSON-RPC ─────────────────────────────────────────────────────────────────────────────────────


async def rpc(answer: object, **fields: str) -> tuple[CheckResult, HttpService]:
    body = answer if isinstance(answer, bytes) else response(json.dumps(answer))
    async with http_service(body) as service:
        check = JsonRpcCheck(url=service.url, method="eth_chainId", **fields)
        return await run(check), service


async def test_a_jsonrpc_call_that_returns_a_result_passes() -> None:
    result, service = await rpc({"jsonrpc": "2.0", "id": 1, "result": "0x539"}, params='["a"]')
    assert verdict(result) == (True, 'result "0x539"')
    head, body = service.requests[0]
    assert head.startswith("POST /")
    assert json.loads(body) == {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "eth_chainId",
        "params": ["a"],
    }


async def test_a_jsonrpc_result_of_null_or_false_is_a_result() -> None:
    assert (await rpc({"result": None}))[0].ok
    assert (await rpc({"result": False}, result="^false$"))[0].ok


async def test_a_jsonrpc_result_must_match_as_compact_json() -> None:
    assert (await rpc({"result": {"a": [1, 2]}}, result=r'"a":\[1,2\]'))[0].ok
    result, _ = await rpc({"result": {"syncing": True}}, result="false")
    assert verdict(result) == (False, 'no match for /false/ in result: {"syncing":true}')


async def test_a_jsonrpc_error_is_the_message() -> None:
    result, _ = await rpc({"error": {"code": -32601, "message": "method not found"}})
    assert verdict(result) == (False, "eth_chainId answered error -32601: method not found")


async def test_a_jsonrpc_error_of_another_shape_is_shown() -> None:
    assert "an error: busy" in (await rpc({"error": "busy"}))[0].message


@pytest.mark.parametrize("body", ["<html>", "[]", "{}", "null", ""])
async def test_an_answer_that_is_not_jsonrpc_fails(body: str) -> None:
    result, _ = await rpc(response(body, status=404))
    assert not result.ok
    assert result.message.startswith("status 404, not a JSON-RPC answer")


async def test_jsonrpc_parameters_that_are_not_json_are_named() -> None:
    result, _ = await rpc({"result": 1}, params="[1")
    assert verdict(result) == (False, "the parameters are not JSON: [1")


async def test_jsonrpc_to_nothing_is_a_refused_connection() -> None:
    check = JsonRpcCheck(url=f"http://127.0.0.1:{await free_port()}", method="x")
    assert verdict(await run(check)) == (False, "connection refused")


# ── GraphQL ──────────────────────────────────────────────────────────────────────────────────────


async def graphql(answer: object, **fields: str) -> tuple[CheckResult, HttpService]:
    body = answer if isinstance(answer, bytes) else response(json.dumps(answer))
    async with http_service(body) as service:
        return await run(GraphqlCheck(url=service.url, **fields)), service


async def test_a_graphql_query_that_answers_data_passes() -> None:
    result, service = await graphql({"data": {"__typename": "Query"}})
    assert verdict(result) == (True, 'data {"__typename":"Query"}')
    assert json.loads(service.requests[0][1]) == {"query": "{ __typename }"}


async def test_graphql_data_must_match() -> None:
    result, _ = await graphql({"data": {"synced": False}}, data='"synced":true')
    assert verdict(result) == (False, 'no match for /"synced":true/ in data: {"synced":false}')


@pytest.mark.parametrize(
    "errors", [[{"message": "no such field"}], ["no such field"], "no such field"]
)
async def test_graphql_errors_fail_even_beside_data(errors: object) -> None:
    result, _ = await graphql({"data": {"a": 1}, "errors": errors})
    assert verdict(result) == (False, "the query answered an error: no such field")


async def test_an_answer_that_is_not_graphql_fails() -> None:
    result, _ = await graphql(response("busy", status=502))
    assert verdict(result) == (
        False,
        "status 502, not a GraphQL answer (first 4 bytes: busy)",
    )
