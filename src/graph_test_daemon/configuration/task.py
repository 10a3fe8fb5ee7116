"""The task type `graph-configuration`: files made of templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from anyio import to_thread

from graph_test_daemon.errors import GraphError
from graph_test_daemon.subgraph import PlaceholdersUnfilled, Problem, Value
from graph_test_daemon.subgraph.filling import fill
from graph_test_daemon.subgraph.values import Addresses, read_addresses
from graph_test_daemon.whole_files import write_whole
from harness.actions import TaskCall, TaskType

__all__ = [
    "ConfigurationConfig",
    "ConfigurationOutputs",
    "ConfigurationWritten",
    "GraphConfiguration",
]


@dataclass(frozen=True, kw_only=True)
class ConfigurationWritten:
    """A file is there."""

    path: str


@dataclass(frozen=True, kw_only=True)
class ConfigurationConfig:
    """Which files, and what their placeholders stand for."""

    files: Mapping[str, str]
    """Name of a file → its template, relative to the stack file."""
    directory: str | None = None
    """Where they are written, relative to the stack file; one of the task's own unless given."""
    values: Mapping[str, Value] = field(default_factory=dict)
    """Of placeholders, written `@NAME@`, `{{NAME}}` or `${NAME}`."""
    addresses: Addresses = field(default_factory=dict)
    """Further values, or JSON of them: `${tasks.contracts.outputs.addresses}`."""


@dataclass(frozen=True, kw_only=True)
class ConfigurationOutputs:
    """What others need."""

    directory: str
    """Absolute path of where the files are."""
    files: Mapping[str, str]
    """Name → absolute path."""


class GraphConfiguration(TaskType):
    """Fills templates in."""

    name = "graph-configuration"
    events = (ConfigurationWritten,)

    async def execute(self, config: ConfigurationConfig, call: TaskCall) -> ConfigurationOutputs:
        """Fill templates in, and write the files, readable by their owner alone."""
        made = await to_thread.run_sync(self._made, config)
        outputs = await self.outputs(config)
        for name, text in made.items():
            path = Path(outputs.files[name])
            await to_thread.run_sync(partial(write_whole, path, text, mode=0o600))
            call.log(f"wrote {path}")
            await call.emit(ConfigurationWritten(path=str(path)))
        return outputs

    async def is_completed(self, config: ConfigurationConfig) -> bool:
        """Tell whether all files are there as they would be written now."""
        made = await to_thread.run_sync(self._made, config)
        paths = (await self.outputs(config)).files
        return await to_thread.run_sync(
            lambda: all(_text_of(Path(paths[name])) == text for name, text in made.items())
        )

    async def outputs(self, config: ConfigurationConfig) -> ConfigurationOutputs:
        """Return where the files are."""
        own = self.task.data_dir
        directory = own if config.directory is None else self.task.directory / config.directory
        files = {name: str(directory / name) for name in config.files}
        return ConfigurationOutputs(directory=str(directory), files=files)

    def _made(self, config: ConfigurationConfig) -> dict[str, str]:
        """Return the text of each file.

        Raises:
            PlaceholdersUnfilled: there are placeholders without a value; all are named.
        """
        values = {**read_addresses(config.addresses), **config.values}
        texts: dict[str, str] = {}
        problems: list[Problem] = []
        for name, template in config.files.items():
            try:
                text = (self.task.directory / template).read_text("utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise GraphError(f"cannot read the template {template}: {error}") from error
            filled = fill(text, values, template)
            texts[name] = filled.text
            problems += filled.problems
        if problems:
            raise PlaceholdersUnfilled(directory=str(self.task.directory), problems=problems)
        return texts


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text("utf-8")
    except OSError:
        return None
