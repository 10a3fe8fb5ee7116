"""A user's deployment: two contracts over JSON-RPC, printed as Hardhat's and Foundry's tools do.

The environment makes it fail in the ways that programs do: FAIL, LIE, SILENT.
"""

import json
import os
import sys
import urllib.request
from pathlib import Path

# Returns 42 for every call, and how to deploy that.
CODE = "0x600a600c600039600a6000f3602a60005260206000f3"


def call(method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(os.environ["ETH_RPC_URL"], body, headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["result"]


def deploy():
    sender = call("eth_accounts")[0]
    sent = call("eth_sendTransaction", {"from": sender, "data": CODE})
    while (receipt := call("eth_getTransactionReceipt", sent)) is None:
        pass
    return sent, receipt["contractAddress"]


def main():
    if os.environ.get("SILENT"):
        return
    print("Compiling 2 files with 0.8.24")
    print("Compiled 2 Solidity files successfully (evm target: paris).")
    if os.environ.get("FAIL"):
        print("Error HH12: cannot deploy", file=sys.stderr)
        sys.exit(int(os.environ["FAIL"]))
    if os.environ.get("LIE"):
        print("Counter deployed to: 0x" + "12" * 20)
        return
    _, counter = deploy()
    print(f"Counter deployed to: {counter}")
    # The second one is told by a file alone, as forge script does.
    sent, vault = deploy()
    chain = int(call("eth_chainId"), 16)
    path = Path("broadcast", "Deploy.s.sol", str(chain), "run-latest.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    transaction = {
        "hash": sent,
        "transactionType": "CREATE",
        "contractName": "Vault",
        "contractAddress": vault,
    }
    path.write_text(json.dumps({"transactions": [transaction]}))


main()
