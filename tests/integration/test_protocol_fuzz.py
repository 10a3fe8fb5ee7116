"""Random calls of every method, made from what the daemon says of itself, against a real daemon.

Whatever is sent, the caller gets a result of the described type or an error with a kind that is
none of the daemon's own defects, and the daemon goes on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.client import BlockingClient, make_source
from harness.errors import DaemonUnavailable, HarnessError, RemoteFailure
from harness.protocol import METHODS, Endpoint, parse_result

pytestmark = pytest.mark.timeout(120)

STACK = """
name: shop
services:
  db: {type: fake, ports: {sql: 5432}}
  web: {type: fake, depends_on: [db]}
  real: {type: process, command: [sleep, "1000"], health_check: {command: "true"}}
tasks:
  seed: {type: process, command: "true"}
"""
LEFT_OUT = {
    "daemon.stop": "nothing could be asked after it",
    "leftovers.remove": "it looks at the whole machine, where other tests run",
}
# Nothing waits for long, only `true` is run, and no name of a host is looked up.
BOUNDS = {"argv", "timeout_s", "host"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=20),
    "integer": st.integers(),
    "number": st.floats(allow_nan=False),
    "boolean": st.booleans(),
    "null": st.none(),
}
BOUNDED = settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def fitting(schema: dict[str, Any], shared: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values that fit a schema of the document.

    Args:
        schema: of the kinds that the document uses; another kind is a failure.
        shared: schemas by name, which it refers to.
    """
    match schema:
        case {"$ref": ref}:
            return fitting(shared[ref.rpartition("/")[2]], shared)
        case {"anyOf": choices} | {"oneOf": choices}:
            return st.one_of([fitting(choice, shared) for choice in choices])
        case {"enum": values}:
            return st.sampled_from(values)
        case {"const": value}:
            return st.just(value)
        case {"type": "object", "properties": properties}:
            values = {name: fitting(item, shared) for name, item in properties.items()}
            required = {name: values.pop(name) for name in schema.get("required", ())}
            return st.fixed_dictionaries(required, optional=values)
        case {"type": "object", "additionalProperties": dict(item)}:
            return st.dictionaries(st.text(max_size=8), fitting(item, shared), max_size=3)
        case {"type": "object"}:
            return st.dictionaries(st.text(max_size=8), JSON, max_size=3)
        case {"type": "array", "items": item}:
            return st.lists(fitting(item, shared), max_size=3)
        case {"type": kind}:
            return PLAIN[kind]
        case _:
            return JSON


class Target:
    """A daemon with a stack, and a client of it."""

    def __init__(self, client: BlockingClient, directory: Path) -> None:
        self.client = client
        self.source = make_source(
            directory=str(directory), env={"PATH": "/usr/local/bin:/usr/bin:/bin"}
        )
        self.document: dict[str, Any] = client.connection.call("rpc.discover")

    def up(self) -> None:
        """Bring the stack up, whatever became of it."""
        operation = self.client.services.up(source=self.source)
        self.client.operations.wait(id=operation["id"], timeout_s=20)

    def parameters(self, method: str) -> st.SearchStrategy[Any]:
        """Return parameters as the document describes them, often of what there is."""
        found = next(item for item in self.document["methods"] if item["name"] == method)
        known = {
            "project": st.just("shop"),
            "unit": st.sampled_from(["db", "web", "real", "seed"]),
            "task": st.just("seed"),
            "source": st.just(self.source),
            "argv": st.just(["true"]),
            "timeout_s": st.just(0.02),
            "host": st.sampled_from(["127.0.0.1", "localhost", "", "\0", "x" * 300]),
        }
        shared = self.document["components"]["schemas"]
        values = {item["name"]: fitting(item["schema"], shared) for item in found["params"]}
        required = {item["name"] for item in found["params"] if item["required"]}
        for name in sorted(known.keys() & values.keys()):
            values[name] = known[name] if name in BOUNDS else known[name] | values[name]
            required.add(name)
        rest = {name: value for name, value in values.items() if name not in required}
        needed = {name: values[name] for name in sorted(required)}
        right = st.fixed_dictionaries(needed, optional=rest)
        wrong = st.dictionaries(st.sampled_from([*sorted(values.keys() - BOUNDS), "x"]), JSON)
        return right | st.builds(lambda one, other: {**one, **other}, right, wrong)

    def call(self, method: str, params: Any) -> None:
        """Make a call, and check its answer."""
        failure: HarnessError | None = None
        try:
            result = self.client.connection.call(method, params, timeout_s=20)
        except HarnessError as error:
            failure = error
        if failure is None:
            parse_result(METHODS[method].result, result)
        else:
            assert not isinstance(failure, RemoteFailure | DaemonUnavailable), params
            assert str(failure).startswith("cannot "), params


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """Run one daemon for all methods."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "harness.yaml").write_text(STACK)
        with BlockingClient(Endpoint(directory / "state")) as client:
            try:
                yield Target(client, directory)
            finally:
                client.daemon.stop()


@pytest.mark.parametrize("method", [name for name in METHODS if name not in LEFT_OUT])
def test_whatever_is_asked_is_answered(target: Target, method: str) -> None:
    target.up()

    @BOUNDED
    @given(target.parameters(method))
    def ask(params: Any) -> None:
        target.call(method, params)

    ask()
    pid = target.client.hello["pid"]
    assert target.client.connection.call("daemon.status")["pid"] == pid
