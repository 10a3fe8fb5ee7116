"""What the service type tells about its actions."""

from __future__ import annotations

from graph_test_daemon.network.service import GraphNetwork


def test_actions_are_listed_group_by_group() -> None:
    names = list(GraphNetwork.declared())
    assert names[:2] == ["check-subgraph", "build-subgraph"]
    first = names.index("epoch")
    assert names[first : first + 6] == [
        "epoch",
        "advance-epoch",
        "set-epoch-length",
        "wait-for-epoch",
        "account",
        "fund",
    ]
    # What is remembered comes last.
    assert names.index("deny-rewards") < names.index("list-deployments")


def test_amounts_may_be_numbers_or_texts() -> None:
    schema = GraphNetwork.declared()["stake"].parameters_schema()
    kinds = {one["type"] for one in schema["properties"]["tokens"]["anyOf"]}
    assert kinds == {"number", "string"}
    assert schema["required"] == ["tokens"]


def test_every_action_and_each_of_its_parameters_is_described() -> None:
    for name, action in GraphNetwork.declared().items():
        assert action.summary, name
        for parameter, told in action.parameters_schema()["properties"].items():
            assert told.get("description"), f"{name} {parameter}"
