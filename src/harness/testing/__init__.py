"""For plugin authors: what an executor, a health check and a service type have to do, as tests.

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
    from .executor_case import ExecutorCase
    from .executor_contract import ExecutorContract
    from .health_contract import HealthCheckContract, ProbedUnit
    from .service_contract import ServiceTypeContract

__all__ = [
    "ExecutorCase",
    "ExecutorContract",
    "HealthCheckContract",
    "ProbedUnit",
    "ServiceTypeContract",
]

_PLACES = {
    "ExecutorCase": "executor_case",
    "ExecutorContract": "executor_contract",
    "HealthCheckContract": "health_contract",
    "ProbedUnit": "health_contract",
    "ServiceTypeContract": "service_contract",
}

# Before they are imported: a failed assertion of theirs shows its values, as the author's own do.
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in set(_PLACES.values())))

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
