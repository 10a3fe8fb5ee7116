"""The reference of the Graph's actions has everything, and no blank where a text is missing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from graph_test_daemon import daemon
from harness.actions import Call, ServiceType, TaskType, action

from .test_pages import GENERATED, generate

graph_actions = generate.graph_actions
PAGE = GENERATED["graph-actions.md"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    value: int


class Mute(ServiceType):
    name = "mute"

    @action(events=[Silent])
    async def ask(self, call: Call, *, said: str, unsaid: int) -> Silent:
        """Ask.

        Args:
            said: has a text.
        """
        raise AssertionError


class Idle(TaskType):
    """Does nothing."""

    name = "idle"

    async def execute(self, *, unsaid: int) -> None:
        """Do nothing."""


def test_what_has_no_text_ends_the_generator() -> None:
    with pytest.raises(ValueError, match="there is no text") as caught:
        graph_actions([Mute], [Idle])
    places = str(caught.value).partition("no text: ")[2].split("; ")
    assert set(places) == {"mute: Mute", "mute.ask, unsaid", "mute: Silent", "mute.ask: Silent",
                           "idle, unsaid"}  # fmt: skip


@pytest.mark.parametrize("of", daemon.harness_service_types(), ids=lambda of: str(of.name))
def test_all_actions_and_events_are_there(of: type[ServiceType]) -> None:
    assert of.declared()
    for name, declared in of.declared().items():
        assert f"### {of.name}.{name}\n" in PAGE
        assert all(f"| `{event}` | " in PAGE for event in declared.events)


def test_tasks_and_commands_are_there() -> None:
    for of in daemon.harness_task_types():
        assert f"### {of.name}\n" in PAGE
    assert "| `domain_name` | text | `TAP` | Of its vouchers' signatures. |" in PAGE
    assert "### graph-test-daemon tools install\n" in PAGE
