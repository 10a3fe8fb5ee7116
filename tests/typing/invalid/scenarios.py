"""What scenarios do not take."""

from graph_test_daemon.scenarios import Allocation, Contract, Ran, Scenario, Subgraph

counter = Contract("Counter.json")
counts = Subgraph("counter", "test/counter")

Scenario().mine(counts.deployment)  # E: arg-type
Scenario().deploy(counter)  # E: arg-type
Scenario().close(counts)  # E: arg-type
Scenario().allocate(Allocation(), counts)  # E: call-arg


def ran(found: Ran) -> int:
    return found[counts.deployment]  # E: return-value
