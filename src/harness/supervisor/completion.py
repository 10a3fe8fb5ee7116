"""What makes a task's completion remembered: a hash of its inputs, and the outputs it left."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from harness.executors import OUTPUTS_FILE, StartRequest
from harness.model import EventKind, OutputSpec, RememberMode, TaskSpec
from harness.patterns import PatternError, compile_pattern

if TYPE_CHECKING:
    from .unit import Unit

__all__ = [
    "NotCreated",
    "OutputMissing",
    "check_created",
    "complete_task",
    "completion_memory",
    "created_paths_exist",
    "input_hash",
    "is_done_already",
    "is_remembered",
    "read_outputs",
    "read_stdout",
    "restore_completion",
]

_MEMORY = ("completed", "completed_at", "outputs", "fingerprint", "fields")

OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024
"""Outputs are read from at most this much of the end of a task's standard output."""


class OutputMissing(Exception):
    """A declared output could not be read although the task ended with success."""

    def __init__(self, *, name: str, cause: str) -> None:
        super().__init__(f'its output "{name}" cannot be read: {cause}')


class NotCreated(Exception):
    """A task ended with success, and a path that it creates is not there."""

    def __init__(self, path: str) -> None:
        super().__init__(f"it ended without having created {path}")


def input_hash(
    task: TaskSpec, *, options: Any, env: Mapping[str, str], runs: Mapping[str, int]
) -> str:
    """Hash what decides a task's result.

    Args:
        task: the definition; files it names in `inputs` are read.
        options: its executor options with all references resolved, so that outputs and addresses of
            other units count.
        env: the variables its definition sets, resolved; inherited ones do not count.
        runs: generation of each service whose restart makes the result void.
    """
    digest = hashlib.sha256()
    facts = [asdict(options), dict(env), [asdict(item) for item in task.outputs], dict(runs)]
    digest.update(json.dumps(facts, sort_keys=True, default=str).encode())
    for name in task.inputs:
        path = Path(task.base_dir, name)
        digest.update(f"\0{name}\0".encode())
        digest.update(_content(path))
    return digest.hexdigest()


def is_remembered(unit: Unit, inputs: str | None) -> bool:
    """Tell whether a task was completed with inputs of this hash, and need not run again."""
    return (
        unit.record.completed is not None
        and unit.record.completed == inputs
        and unit.task.remember is not RememberMode.NEVER
        and not unit.forces_run
        and created_paths_exist(unit.task)
    )


async def is_done_already(unit: Unit, request: StartRequest, inputs: str | None) -> bool:
    """Tell whether a task need not run: what its executor sees outranks what is remembered.

    What it finds done although nobody remembers it is remembered from here on.

    Raises:
        HarnessError: the executor cannot find it out.
    """
    if unit.task.remember is RememberMode.NEVER or unit.forces_run:
        return False
    found = await unit.context.executors[unit.spec.type].completion(request)
    if found is None:
        return is_remembered(unit, inputs)
    if not found.is_done:
        return False
    remembered = is_remembered(unit, inputs)
    if found.outputs is None or not created_paths_exist(unit.task):
        return remembered
    # The same inputs may have left something else than the last time, as on another chain.
    if not remembered or dict(found.outputs) != unit.record.outputs:
        _remember(unit, inputs, dict(found.outputs))
    return True


async def complete_task(unit: Unit, inputs: str | None) -> None:
    """Read the outputs of a task that ended with success, and remember that it is completed.

    Raises:
        NotCreated, OutputMissing, OSError: it has not done what it was to do.
    """
    check_created(unit.task)
    outputs = _left_outputs(unit)
    if unit.task.outputs:
        start = unit.record.log_offsets.get("stdout", 0)
        stdout = await to_thread.run_sync(read_stdout, unit.log.directory, start)
        outputs |= await to_thread.run_sync(read_outputs, unit.task, stdout)
    _remember(unit, inputs, outputs)
    unit.context.publish(EventKind.TASK_COMPLETED, unit.name, outputs=outputs, skipped=False)


def _remember(unit: Unit, inputs: str | None, outputs: dict[str, Any]) -> None:
    record = unit.record
    record.completed, record.outputs = inputs, outputs
    record.completed_at = unit.context.clock.now().isoformat()
    unit.save()


def _left_outputs(unit: Unit) -> dict[str, Any]:
    """Return the outputs that the executor left of the newest run."""
    path = unit.directories.run(unit.record.generation) / OUTPUTS_FILE
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return found


def created_paths_exist(task: TaskSpec) -> bool:
    """Tell whether everything the task is to create is there."""
    return all(Path(task.base_dir, name).exists() for name in task.creates)


def check_created(task: TaskSpec) -> None:
    """Check the outcome of a task that ended with success.

    Raises:
        NotCreated: a path is missing.
    """
    for name in task.creates:
        if not Path(task.base_dir, name).exists():
            raise NotCreated(name)


def completion_memory(unit: Unit) -> dict[str, Any]:
    """Return what is remembered of a task's completion, as JSON values."""
    record = unit.record
    return {name: getattr(record, name) for name in _MEMORY}


def restore_completion(unit: Unit, memory: Mapping[str, Any] | None) -> None:
    """Remember a task's completion as it was; None: it had not completed."""
    if memory is None:
        if unit.record.completed is not None:
            unit.forget_completion()
        return
    for name in _MEMORY:
        setattr(unit.record, name, memory[name])
    unit.save()


def read_outputs(task: TaskSpec, stdout: bytes) -> dict[str, Any]:
    """Read a completed task's outputs: JSON values by name.

    Blocks for as long as searching in it takes.

    Raises:
        OutputMissing: one of them is not there.
    """
    text = stdout.decode("utf-8", "replace")
    return {item.name: _output(item, text, task.base_dir) for item in task.outputs}


def read_stdout(log_dir: Path, start: int) -> bytes:
    """Return what was written to standard output since `start`, at most the last 16 MiB."""
    with (log_dir / "stdout.log").open("rb") as file:
        end = file.seek(0, 2)
        file.seek(max(start, end - OUTPUT_LIMIT_BYTES))
        return file.read(OUTPUT_LIMIT_BYTES)


def _content(path: Path) -> bytes:
    if path.is_dir():
        parts = [p for p in sorted(path.rglob("*")) if p.is_file()]
        return b"".join(f"{p.relative_to(path)}\0".encode() + _content(p) for p in parts)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except FileNotFoundError:
        return b"missing"


def _output(spec: OutputSpec, text: str, base_dir: str) -> Any:
    if spec.file is not None:
        try:
            return Path(base_dir, spec.file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise OutputMissing(name=spec.name, cause=str(error)) from error
    if spec.regex is not None:
        return _matched(spec.name, spec.regex, text)
    return _json_output(spec, text)


def _matched(name: str, regex: str, text: str) -> str:
    try:
        value = compile_pattern(regex).value_in(text)
    except PatternError as error:
        raise OutputMissing(name=name, cause=f"/{regex}/ {error}") from error
    if value is None:
        raise OutputMissing(name=name, cause=f"nothing on stdout matches /{regex}/")
    return value


def _json_output(spec: OutputSpec, text: str) -> Any:
    value = _last_json(spec.name, text)
    for key in filter(None, (spec.json or "").split(".")):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise OutputMissing(
                name=spec.name, cause=f"the JSON on stdout has nothing at {spec.json}"
            ) from error
    return value


def _last_json(name: str, text: str) -> Any:
    """Return the last JSON document on stdout: the whole text, or the last line that is one."""
    for candidate in (text, *reversed(text.strip().splitlines())):
        try:
            return json.loads(candidate)
        except json.JSONDecodeError:
            continue
    raise OutputMissing(name=name, cause="there is no JSON document on stdout")
