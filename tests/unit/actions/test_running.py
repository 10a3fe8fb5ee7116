from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import anyio
import pytest

from harness.actions import ActionEvent, ActionSet, Call, run_action
from harness.errors import ActionError, ActionFailed, ActionTimeout, InvalidParameters
from tests.toy_plugin import Daemon, Toy


class _Run:
    """Runs actions of one object, and keeps what they tell."""

    def __init__(self, of: ActionSet) -> None:
        self.of = of
        self.told: list[tuple[str, Any]] = []

    async def __call__(self, name: str, timeout_s: float | None = None, **parameters: Any) -> Any:
        async def send(event: ActionEvent) -> None:
            self.told.append((event.name, event.data))

        action = type(self.of).declared()[name]
        return await run_action(
            self.of, action, parameters, title=f"it.{name}", send=send, timeout_s=timeout_s
        )


@pytest.fixture
def toy() -> _Run:
    return _Run(Toy(None))  # type: ignore[arg-type] # these actions look at no service


async def test_an_action_returns_json_and_tells_its_events_in_order(toy):
    assert await toy("count", times=2, step="ten") == {"before": 0, "now": 20}
    assert toy.told == [("counted", {"value": 10}), ("counted", {"value": 20})]


async def test_what_is_left_out_has_its_default(toy):
    assert await toy("count") == {"before": 0, "now": 1}


async def test_one_dataclass_takes_all_parameters(toy):
    assert await toy("find", text="x", window={"low": 8}) == ["x", "x"]


async def test_a_default_is_not_shared_by_calls(toy):
    assert await toy("collect", names=["a"]) == 1
    assert await toy("collect", names=["a", "b"]) == 2


@pytest.mark.parametrize(
    ("name", "parameters", "path"),
    [
        ("count", {"times": "3"}, "times"),
        ("count", {"step": "two"}, "step"),
        ("count", {"far": 1}, "far"),
        ("count", {"call": 1}, "call"),
        ("find", {}, "text"),
        ("find", {"text": "x", "window": {"low": 1, "hihg": 2}}, "window.hihg"),
        ("find", {"text": "x", "other": 2}, "other"),
        ("collect", {"names": ["a", 2]}, "names[1]"),
    ],
)
async def test_parameters_that_do_not_fit_are_named_by_their_paths(toy, name, parameters, path):
    with pytest.raises(InvalidParameters, match=f"cannot run it.{name}") as caught:
        await toy(name, **parameters)
    problems: Any = caught.value.details["problems"]
    assert [problem["path"] for problem in problems] == [path]
    assert caught.value.hint == f"`harness action info it.{name}` shows what it takes"
    assert toy.of.value == 0


async def test_an_error_of_the_author_passes_as_it_is(toy):
    with pytest.raises(ActionError, match="times must be at least 1") as caught:
        await toy("count", times=0)
    assert (caught.value.kind, caught.value.hint) == ("action-error", "give more")


async def test_whatever_else_it_raises_is_a_failure_with_its_name(toy):
    with pytest.raises(ActionFailed, match=r"cannot finish it\.late: TimeoutError: the node did"):
        await toy("late")


async def test_a_result_of_another_type_is_a_failure(toy):
    with pytest.raises(ActionFailed, match="its result does not fit"):
        await toy("lie")


async def test_an_event_that_cannot_be_json_is_told_as_such(toy):
    assert await toy("tell", what="strange") is None
    ((name, data),) = toy.told
    assert (name, data["event"]) == ("event-failed", "strange")
    assert "object" in data["message"]


async def test_an_event_that_is_not_declared_is_a_failure(toy):
    with pytest.raises(ActionFailed, match="Counted is not among the events of tell"):
        await toy("tell", what="counted")
    assert toy.told == []


async def test_an_action_ends_at_its_limit(toy):
    with anyio.fail_after(5), pytest.raises(ActionTimeout, match=r"longer than 0\.05 s"):
        await toy("dawdle")


async def test_a_caller_may_set_another_limit(toy):
    with anyio.fail_after(5), pytest.raises(ActionTimeout, match=r"longer than 0\.01 s"):
        await toy("wait", timeout_s=0.01)
    assert toy.told == [("progress", {"message": "waiting", "done": 0.0, "total": 1.0})]
    assert toy.of.cancelled.is_set()


async def test_cancelling_the_call_cancels_the_work(toy):
    async with anyio.create_task_group() as group:
        group.start_soon(toy, "wait")
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    assert toy.of.cancelled.is_set()


async def test_positional_parameters_are_given_by_name():
    assert await _Run(Daemon())("add", a=3, negate=True) == -5


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """One of many steps."""

    is_detail: ClassVar[bool] = True

    number: int


async def test_an_event_of_which_there_are_many_is_sent_as_a_detail():
    sent: list[ActionEvent] = []

    async def send(event: ActionEvent) -> None:
        await anyio.lowlevel.checkpoint()
        sent.append(event)

    call = Call("walk", {"stepped": Stepped}, send)
    await call.emit(Stepped(number=1))
    await call.progress("walking")
    assert [event.document() for event in sent] == [
        {"name": "stepped", "data": {"number": 1}, "detail": True},
        {"name": "progress", "data": {"message": "walking", "done": None, "total": None}},
    ]
