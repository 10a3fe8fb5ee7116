"""Send transactions with cast; print their hashes and block numbers as one JSON document."""

import json
import os
import subprocess
import sys


def cast(*arguments: str) -> dict:
    """Run cast against the chain and return its JSON answer."""
    command = ["cast", *arguments, "--rpc-url", os.environ["CHAIN_URL"]]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    """Send as many transactions as TRANSACTIONS says, one block each."""
    sender, receiver, *_ = cast("rpc", "eth_accounts")
    receipts = []
    for number in range(1, int(os.environ["TRANSACTIONS"]) + 1):
        receipt = cast(
            "send", receiver, "--value", str(number), "--from", sender, "--unlocked", "--json"
        )
        receipts.append(receipt)
        print(f"transaction {number}: {receipt['transactionHash']}", file=sys.stderr)
    blocks = [int(receipt["blockNumber"], 16) for receipt in receipts]
    answer = {
        "hashes": [receipt["transactionHash"] for receipt in receipts],
        "blocks": blocks,
        "first_block": blocks[0],
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
