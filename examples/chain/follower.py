"""Follow a chain over JSON-RPC and answer GET /blocks with what was seen."""

import json
import os
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCKS: list[dict] = []


def rpc(method: str, *params: object) -> object:
    """Call the chain and return the result."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(
        os.environ["CHAIN_URL"], body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as response:
        return json.load(response)["result"]


def follow(number: int) -> None:
    """Read every block from `number` on, as they come; end the process when the chain is gone."""
    try:
        while True:
            block = rpc("eth_getBlockByNumber", hex(number), False)
            if block is None:
                time.sleep(0.1)
                continue
            seen = {
                "number": number,
                "hash": block["hash"],
                "transactions": block["transactions"],
            }
            BLOCKS.append(seen)
            print(f"block {number} {block['hash']}", flush=True)
            number += 1
    except OSError as error:
        print(f"the chain is gone: {error}", file=sys.stderr, flush=True)
        os._exit(1)


class Handler(BaseHTTPRequestHandler):
    """Answers GET /blocks."""

    def do_GET(self) -> None:
        """Send the blocks seen so far as JSON."""
        found = self.path == "/blocks"
        body = json.dumps(BLOCKS if found else {"error": "only /blocks"}).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep requests out of the output: it shows blocks."""


def main() -> None:
    """Serve on PORT and follow from FIRST_BLOCK."""
    first = int(os.environ["FIRST_BLOCK"])
    threading.Thread(target=follow, args=(first,), daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()


if __name__ == "__main__":
    main()
