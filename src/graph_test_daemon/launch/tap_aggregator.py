"""Is the TAP aggregator: it serves until it is ended.

What is not given as an argument is taken from the variables that the protocol's own aggregator has.
The key is one of them or in a file: arguments of programs are shown to everybody on the machine.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from graph_test_daemon.tap import Aggregator, Key

__all__ = ["launch"]

# How long calls under way may go on when it is to end; then they are cut off.
_ENDS_WITHIN_S = 5
_CONNECTIONS = 200


def launch(arguments: Sequence[str]) -> None:
    """Serve, until SIGTERM or SIGINT."""
    own = _parser().parse_args(arguments)

    from graph_test_daemon.errors import GraphError

    try:
        aggregator = _aggregator(own)
    except GraphError as error:
        _end(str(error))

    import uvicorn

    from graph_test_daemon.tap.server import application

    sys.stdout.write(f"Signs with {aggregator.address}\n")
    sys.stdout.flush()
    uvicorn.run(
        application(aggregator, largest_request_bytes=own.max_request_bytes),
        host=own.host,
        port=own.port,
        lifespan="off",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_ENDS_WITHIN_S,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tap-aggregator")
    given = os.environ.get
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=number, default=given("TAP_PORT", "8080"))
    parser.add_argument("--domain-name", default=given("TAP_DOMAIN_NAME", "TAP"))
    parser.add_argument("--domain-version", default=given("TAP_DOMAIN_VERSION", "1"))
    parser.add_argument("--chain-id", type=number, default=given("TAP_DOMAIN_CHAIN_ID"))
    parser.add_argument("--verifying-contract", default=given("TAP_DOMAIN_VERIFYING_CONTRACT"))
    parser.add_argument(
        "--voucher-order",
        choices=("contract", "crate"),
        default="contract",
        help="order of the parties in the signed type of vouchers of version 2",
    )
    parser.add_argument(
        "--accept",
        action="append",
        metavar="ADDRESS",
        help="take receipts that it has signed, too; may be repeated (TAP_PUBLIC_KEYS: by commas)",
    )
    parser.add_argument("--max-request-bytes", type=number, default=10 * 1024 * 1024)
    key = parser.add_mutually_exclusive_group()
    key.add_argument(
        "--account", type=number, help="sign as this account of the well-known test mnemonic"
    )
    key.add_argument("--key-file", type=Path, help="with the key that TAP_PRIVATE_KEY holds else")
    return parser


def number(text: str) -> int:
    return int(text, 0)


def _aggregator(own: argparse.Namespace) -> Aggregator:
    from graph_test_daemon.tap import Aggregator, Domain, Typing, VoucherOrder

    for name, flag in (("chain_id", "CHAIN_ID"), ("verifying_contract", "VERIFYING_CONTRACT")):
        if getattr(own, name) is None:
            option = name.replace("_", "-")
            _end(f"cannot aggregate: neither --{option} nor TAP_DOMAIN_{flag} is given")
    domain = Domain(
        name=own.domain_name,
        version=own.domain_version,
        chain_id=own.chain_id,
        verifying_contract=own.verifying_contract,
    )
    accepted = own.accept or _listed(os.environ.get("TAP_PUBLIC_KEYS", ""))
    typing = Typing(domain=domain, voucher_order=VoucherOrder(own.voucher_order))
    return Aggregator(typing, _key(own), accepted)


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _key(own: argparse.Namespace) -> Key:
    from graph_test_daemon.tap import Key

    if own.account is not None:
        return Key.of_account(own.account)
    if own.key_file is not None:
        return Key.from_file(own.key_file)
    text = os.environ.get("TAP_PRIVATE_KEY")
    if not text:
        _end("cannot aggregate: none of --account, --key-file and TAP_PRIVATE_KEY is given")
    return Key.read(text, source="TAP_PRIVATE_KEY")


def _end(message: str) -> NoReturn:
    sys.exit(message)
