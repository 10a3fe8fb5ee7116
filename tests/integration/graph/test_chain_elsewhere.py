"""A chain that is no test node: a real one behind a door that refuses what only anvil has."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from graph_test_daemon.chain import Chain, MiningMode
from graph_test_daemon.chain.errors import NotSupportedByChain


@pytest.fixture
async def plain(chain_url: str) -> AsyncIterator[Chain]:
    class Door(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked = json.loads(body)
            if isinstance(asked, list) or asked["method"].startswith(("anvil_", "evm_")):
                refused = {"code": -32601, "message": "the method does not exist/is not available"}
                first = asked[0] if isinstance(asked, list) else asked
                one = {"jsonrpc": "2.0", "id": first["id"], "error": refused}
                answer = json.dumps([one] if isinstance(asked, list) else one).encode()
            else:
                headers = {"content-type": "application/json"}
                with urllib.request.urlopen(
                    urllib.request.Request(chain_url, body, headers)
                ) as response:
                    answer = response.read()
            self.send_response(200)
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Door) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        chain = Chain(f"http://127.0.0.1:{server.server_address[1]}")
        yield chain
        await chain.aclose()
        server.shutdown()
        thread.join()


async def test_what_every_chain_has_works(plain: Chain) -> None:
    sender, *_ = await plain.accounts()
    receipt = await plain.send(sender=sender, to=sender, value=1)
    assert (await plain.wait_for_block(1)).transactions == (receipt.transaction,)


async def test_what_it_lacks_is_named(plain: Chain) -> None:
    with pytest.raises(NotSupportedByChain, match="anvil_mine") as caught:
        await plain.mine()
    assert "anvil" in (caught.value.hint or "")
    for attempt in (
        plain.mining_mode(),
        plain.set_mining_mode(MiningMode(automine=True, interval_s=0)),
        plain.snapshot(),
        plain.revert("0x0"),
        plain.reset(),
        plain.dump(),
        plain.increase_time(1),
        plain.set_balance("0x" + "a" * 40, 1),
    ):
        with pytest.raises(NotSupportedByChain):
            await attempt
