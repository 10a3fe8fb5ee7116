"""For tests: stacks as fixtures, and for plugin authors what their plugins have to do.

    from harness.testing import Stack, harness_stack

    shop = harness_stack("shop.yaml", scope="module")

    def test_page(shop: Stack):
        assert shop["web"].url("http").startswith("http://")

An executor, a health check and a service type are held to a suite of tests each:

    from harness.testing import ExecutorContract

    class TestForking(ExecutorContract):
        executor = ForkingExecutor

        def command(self, *argv): ...

The built-in executors pass the very same classes. They need pytest, and trio for the second of the
two backends that each test runs on: `pip install 'graph-network-harness[testing]'`.
"""

from typing import TYPE_CHECKING

import pytest

from harness.lazy import lazy_names

if TYPE_CHECKING:
    from .async_stack import AsyncService, AsyncStack, Executed, finished
    from .definition import StackDefinition
    from .executor_case import ExecutorCase
    from .executor_contract import ExecutorContract
    from .fixtures import harness_stack, stack_of
    from .health_contract import HealthCheckContract, ProbedUnit
    from .service_contract import ServiceTypeContract
    from .stack import Service, Stack

__all__ = [
    "AsyncService",
    "AsyncStack",
    "Executed",
    "ExecutorCase",
    "ExecutorContract",
    "HealthCheckContract",
    "ProbedUnit",
    "Service",
    "ServiceTypeContract",
    "Stack",
    "StackDefinition",
    "finished",
    "harness_stack",
    "stack_of",
]

_SUITES = {
    "ExecutorCase": "executor_case",
    "ExecutorContract": "executor_contract",
    "HealthCheckContract": "health_contract",
    "ProbedUnit": "health_contract",
    "ServiceTypeContract": "service_contract",
}
_PLACES = {
    **_SUITES,
    "AsyncService": "async_stack",
    "AsyncStack": "async_stack",
    "Executed": "async_stack",
    "Service": "stack",
    "Stack": "stack",
    "StackDefinition": "definition",
    "finished": "async_stack",
    "harness_stack": "fixtures",
    "stack_of": "fixtures",
}

# Before they are imported: a failed assertion of theirs shows its values, as the author's own do.
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in set(_SUITES.values())))

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
