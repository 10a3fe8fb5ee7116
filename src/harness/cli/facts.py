"""Events in words: one line each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

__all__ = [
    "action_event",
    "fact",
    "failed_hook",
    "is_detail",
    "json_text",
    "outputs_text",
    "progress_fact",
    "step_text",
]

Data = Mapping[str, Any]

_SHOWN_LINES = 5
_SHOWN_VALUE = 40  # characters of an output; `task status --json` has the whole

_ENDED = frozenset({"stopped", "exited", "failed", "backoff", "unknown"})

# What is left out of progress unless details are wanted: `events` shows it all.
_DETAILS = frozenset(
    {"probe-finished", "port-assigned", "operation-started", "operation-finished", "unit-adopted"}
)
_ON_THE_WAY = frozenset({"pending", "starting", "stopping"})
_NOT_RUNNING = frozenset({"failed", "exited"})  # nothing was stopped where these were


def progress_fact(event: Mapping[str, Any], *, verbose: bool = False) -> str | None:
    """Return `unit: what happened`, or None when it is a detail."""
    kind, data = event["kind"], event["data"]
    if event["unit"] is None or (is_detail(event) and not verbose):
        return None
    if kind == "hook-finished" and data.get("ok") and not verbose:
        return None
    if kind == "unit-state-changed" and not verbose:
        if data.get("new") in _ON_THE_WAY:
            return None
        if data.get("new") == "stopped" and data.get("old") in _NOT_RUNNING:
            return None
    return f"{event['unit']}: {fact(event)}"


def is_detail(event: Mapping[str, Any]) -> bool:
    """Tell whether an event says how something larger goes on."""
    return event["kind"] in _DETAILS or bool(event["data"].get("detail"))


def failed_hook(event: Mapping[str, Any]) -> list[str]:
    """Return the lines that tell of a hook that failed, with the last of its output; else none."""
    data = event["data"]
    if event["kind"] != "hook-finished" or data.get("ok"):
        return []
    unit = event["unit"]
    output = str(data.get("output") or "").strip()
    lines = output.splitlines()[-_SHOWN_LINES:] if output else []
    head = f"{unit}: hook {data.get('moment')} failed: {data.get('message')}"
    return [head, *(f"{unit}: | {line}" for line in lines)]


def outputs_text(outputs: Mapping[str, Any]) -> str:
    """Return a task's outputs on one line, long values cut; nothing for none."""
    shown = ", ".join(f"{name}={_cut(str(value))}" for name, value in outputs.items())
    return f"outputs: {shown}" if shown else ""


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_VALUE else f"{text[: _SHOWN_VALUE - 1]}…"


def fact(event: Mapping[str, Any]) -> str:
    """Return what happened, without saying to whom."""
    word = _WORDS.get(event["kind"])
    return word(event["data"]) if word else _plain(event["kind"].replace("-", " "), event["data"])


def _plain(text: str, data: Data) -> str:
    parts = [f"{key}={value}" for key, value in data.items() if value not in (None, "", {}, [])]
    return f"{text} ({', '.join(parts)})" if parts else text


def _state(data: Data) -> str:
    new, parts = data.get("new"), []
    if data.get("pid"):
        parts.append(f"pid {data['pid']}")
    # The other states carry the end of the run before, too.
    if new in _ENDED:
        end, reason = str(data.get("exit") or ""), str(data.get("reason") or "")
        if new == "stopped":
            # How it ended is in the reason, where that is not what was asked for.
            end, reason = "", reason.removeprefix("stopped ")
        parts += [text for text in ("" if end in reason else end, reason) if text]
    if data.get("attempt"):
        parts.append(f"attempt {data['attempt']}")
    return f"{new} ({', '.join(parts)})" if parts else str(new)


def _health(data: Data) -> str:
    message = data.get("message")
    return f"{data.get('new')}: {message}" if message else str(data.get("new"))


def _probe(data: Data) -> str:
    outcome = "passed" if data.get("ok") else "failed"
    message = f": {data['message']}" if data.get("message") else ""
    return f"probe {data.get('stage')} {outcome} in {data.get('latency_ms') or 0:.0f} ms{message}"


def _stage(data: Data) -> str:
    return f"reached {data.get('stage')} after {data.get('after_s') or 0:.2f} s"


def _hook(data: Data) -> str:
    outcome = "done" if data.get("ok") else "failed"
    output = str(data.get("output") or "").split("\n")
    parts = output if data.get("ok") else [str(data.get("message") or ""), *output]
    text = "; ".join(part.strip() for part in parts if part.strip())
    return f"hook {data.get('moment')} {outcome}" + (f": {text}" if text else "")


def _task(data: Data) -> str:
    word = "skipped, it was completed before" if data.get("skipped") else "completed"
    outputs = outputs_text(data.get("outputs") or {})
    return f"{word}; {outputs}" if outputs else word


def _setup(data: Data) -> str:
    message = f": {data['message']}" if data.get("message") else ""
    return "needs no setup" if data.get("new") == "none" else f"setup {data.get('new')}{message}"


def action_event(name: str, data: Data) -> str:
    """Return what an action, a setup or a task tells."""
    if name != "progress":
        values = " ".join(f"{key}={json_text(value)}" for key, value in data.items())
        return f"{name} {values}".rstrip()
    if data.get("done") is None:
        return str(data.get("message"))
    of = "" if data.get("total") is None else f" of {data['total']:g}"
    return f"{data['message']} ({data['done']:g}{of})"


def json_text(value: Any) -> str:
    """Return a JSON value on one line; a text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _action(data: Data) -> str:
    return f"{data.get('action')}: {action_event(str(data.get('name')), data.get('data') or {})}"


def _lease(data: Data) -> str:
    owner = f"lease of {data.get('owner')}"
    if "cause" in data:
        return f"{owner} ended: {str(data['cause']).replace('-', ' ')}"
    return f"{owner}, {data.get('ttl_s'):g} s"


def _lease_expired(data: Data) -> str:
    return f"lease of {data.get('owner')} expired; the project is taken down"


def _gap(data: Data) -> str:
    return f"events {data.get('first')} to {data.get('last')} were not delivered"


def _operation(data: Data) -> str:
    outcome = data.get("outcome") or "began"
    message = f": {data['message']}" if data.get("message") else ""
    return f"{data.get('verb')} {outcome} ({data.get('id')}){message}"


def _workflow(data: Data) -> str:
    outcome = data.get("outcome") or "began"
    message = f": {data['message']}" if data.get("message") else ""
    return f"workflow {data.get('workflow')} {outcome} ({data.get('run')}){message}"


def step_text(data: Data) -> str:
    """Return what happened to a step of a workflow."""
    undo = f", to undo {data['compensates']}" if data.get("compensates") else ""
    head = f"{data.get('step')}: "
    if "state" not in data:
        again = f" (attempt {data['attempt']})" if data.get("attempt", 1) > 1 else ""
        return f"{head}{data.get('step_kind')}{again}{undo}"
    message = f": {data['message']}" if data.get("message") else ""
    return f"{head}{data['state']}{message}{undo if message else ''}"


_WORDS: Mapping[str, Callable[[Data], str]] = {
    "unit-state-changed": _state,
    "health-changed": _health,
    "probe-finished": _probe,
    "stage-reached": _stage,
    "setup-changed": _setup,
    "action-event": _action,
    "hook-finished": _hook,
    "task-completed": _task,
    "unit-quiesced": lambda _: "quiesced",
    "unit-resumed": lambda _: "resumed",
    "lease-granted": _lease,
    "lease-released": _lease,
    "lease-expired": _lease_expired,
    "gap": _gap,
    "operation-started": _operation,
    "operation-finished": _operation,
    "workflow-started": _workflow,
    "workflow-finished": _workflow,
    "workflow-step-started": step_text,
    "workflow-step-finished": step_text,
}
