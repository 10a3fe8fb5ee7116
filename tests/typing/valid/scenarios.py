"""A scenario, and what its steps leave."""

from graph_test_daemon.scenarios import Allocation, Contract, Result, Scenario, Subgraph
from harness.client import BlockingClient
from harness.testing import Stack

counter = Contract("Counter.json")
counts = Subgraph("counter", "test/counter", {"Counter": counter.address, "block": counter.block})
opened, sent = Allocation(), Result("sent")
scenario = (
    Scenario("all", timeout="2m")
    .deploy_contract(counter, 1, "two")
    .deploy(counts, publish=True, signal=1000)
    .send_each(counter, "count", [[1], [2]], to=sent)
    .query(counts, "{ counts { last } }", expect={"counts": []}, block=sent["last_block"])
    .parallel(Scenario().mine(1), Scenario().mine(counter.block), limit=2)
    .allocate(opened, counts, "50000.5")
    .close(opened)
    .within("10s")
)


def ran(stack: Stack, client: BlockingClient) -> tuple[int, str]:
    one, other = scenario.run(stack), scenario.run(client, project="graph")
    return one[counter.block] + 1, other[counts.deployment].lower()
