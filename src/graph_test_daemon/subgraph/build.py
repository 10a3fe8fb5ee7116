"""Builds a subgraph with the real tools, in a copy of its sources, once for the same sources.

Source: gnd 0.45, `gnd codegen` and `gnd build`, which do what graph-cli's do.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import anyio
from anyio import to_thread

from harness.commands import Command, Output, Process, StreamName

from .cache import BuildCache
from .checks import CheckedSubgraph, Expectations, check_manifest, require_sound
from .document import read_document
from .errors import BuildFailed, PlaceholdersUnfilled
from .filling import Value, fill
from .inputs import Inputs, collect_inputs
from .manifest import MANIFEST, Manifest
from .problems import Problem, failing
from .tool_output import read_problems, read_step
from .toolchain import Toolchain, find_toolchain
from .variants import dump, file_paths, program, variant

__all__ = ["BuildProgressed", "BuiltSubgraph", "OnProgress", "build_subgraph", "check_subgraph"]

_LIMIT_S = 300.0
_OUTPUT = "build"

Step = Literal["codegen", "build"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildProgressed:
    """A build got further.

    Attributes:
        step: `codegen` or `build`.
        message: what was done, in the tool's words.
    """

    step: Step
    message: str


OnProgress = Callable[[BuildProgressed], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltSubgraph:
    """A subgraph that can be uploaded.

    Attributes:
        directory: that holds the files; all variants of the same share it, so it is not to be
            changed, and the manifest in there may be another's.
        manifest: what it says; names of files in it are relative to the directory.
        files: those names, each once, in the manifest's order.
        was_kept: it, or a variant of it, had been compiled before.
        warnings: of the checks.
    """

    directory: Path
    manifest: Mapping[str, Any]
    files: tuple[str, ...]
    was_kept: bool
    warnings: tuple[Problem, ...] = ()

    @property
    def manifest_text(self) -> str:
        """The manifest as a file that belongs into the directory."""
        return dump(self.manifest)


def check_subgraph(
    directory: Path,
    *,
    name: str = MANIFEST,
    values: Mapping[str, Value] | None = None,
    fill_in: Sequence[str] = (),
    expected: Expectations | None = None,
) -> tuple[CheckedSubgraph, dict[str, str]]:
    """Fill in the placeholders, and look at the result; the sources stay as they are.

    Args:
        directory: that holds the manifest.
        name: of the manifest, whose placeholders are filled in.
        values: by name; `network` is known where it is expected.
        fill_in: other files with placeholders, relative to the directory.
        expected: what is known of where the subgraph will run.

    Returns:
        what was found, and the text of each file that was filled in.

    Raises:
        PlaceholdersUnfilled: there are placeholders without a value; all are named.
        ManifestInvalid: a file to be filled in cannot be read.
    """
    expected = expected or Expectations()
    known = ({} if expected.network is None else {"network": expected.network}) | dict(values or {})
    texts: dict[str, str] = {}
    problems: list[Problem] = []
    for file in (name, *fill_in):
        path = directory / file
        if file == name and not path.is_file():
            continue  # the check tells of it
        filled = fill(path.read_text("utf-8"), known, file)
        texts[file] = filled.text
        problems += filled.problems
    if problems:
        raise PlaceholdersUnfilled(directory=str(directory), problems=problems)
    return check_manifest(directory, name=name, expected=expected, texts=texts), texts


async def build_subgraph(
    directory: Path,
    *,
    name: str = MANIFEST,
    values: Mapping[str, Value] | None = None,
    fill_in: Sequence[str] = (),
    expected: Expectations | None = None,
    ipfs_url: str | None = None,
    cache: BuildCache | None = None,
    on_progress: OnProgress | None = None,
    env: Mapping[str, str] = os.environ,
) -> BuiltSubgraph:
    """Check a subgraph and build it; what was built from the same files is taken from the cache.

    Args:
        directory: that holds the manifest.
        name: of the manifest.
        values: of placeholders, by name; `network` is known where it is expected.
        fill_in: files with placeholders besides the manifest, relative to the directory.
        expected: what is known of where the subgraph will run.
        ipfs_url: of the server that has the subgraphs that this one follows.
        cache: where builds are kept; None: in the user's cache.
        on_progress: is told what the tools do, while they do it.
        env: whose variable names the directory of the tools.

    Raises:
        PlaceholdersUnfilled: there are placeholders without a value.
        ManifestInvalid: it would not build, or not run where it shall.
        ToolsNotInstalled: a program is missing.
        BuildFailed: the tools could not build it.
    """
    cache = cache or BuildCache()
    checked, texts = await to_thread.run_sync(
        lambda: check_subgraph(
            directory, name=name, values=values, fill_in=fill_in, expected=expected
        )
    )
    manifest = require_sound(checked, directory)
    toolchain = find_toolchain(directory, env=env)
    inputs = await to_thread.run_sync(collect_inputs, manifest, texts)
    digest = await to_thread.run_sync(
        lambda: inputs.digest(program(manifest.document.data), toolchain.fingerprint(), name)
    )
    kept, was_kept = cache.find(digest), True
    if kept is None:
        async with cache.making(digest) as place:
            kept = cache.find(digest)
            if kept is None:
                run = _Run(manifest, toolchain, ipfs_url, on_progress)
                built, was_kept = await run.build(inputs, place), False
                kept = await to_thread.run_sync(cache.store, digest, built)
    return await to_thread.run_sync(
        lambda: _built(kept, manifest, checked.warnings, was_kept=was_kept)
    )


def _built(
    directory: Path, manifest: Manifest, warnings: tuple[Problem, ...], *, was_kept: bool
) -> BuiltSubgraph:
    """Put what was compiled, perhaps for another variant, and this manifest together."""
    name = Path(manifest.document.file).name
    written = read_document((directory / name).read_text("utf-8"), name)
    if isinstance(written, Problem):
        raise BuildFailed(
            directory=str(manifest.directory), step="build", problems=(written,), output=""
        )
    made = variant(written.data, manifest.document.data)
    named = dict.fromkeys(str(written.at(*path)) for path in file_paths(made))
    return BuiltSubgraph(
        directory=directory,
        manifest=made,
        files=tuple(file for file in named if (directory / file).is_file()),
        was_kept=was_kept,
        warnings=warnings,
    )


class _Run:
    """One build, in a directory of its own."""

    def __init__(
        self,
        manifest: Manifest,
        toolchain: Toolchain,
        ipfs_url: str | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._manifest = manifest
        self._toolchain = toolchain
        self._ipfs = () if ipfs_url is None else ("--ipfs", ipfs_url)
        self._on_progress = on_progress

    async def build(self, inputs: Inputs, place: Path) -> Path:
        """Do both steps in a copy below `place`; return the directory of the result."""
        work = await to_thread.run_sync(inputs.write, place / "sources")
        (work / "node_modules").symlink_to(self._toolchain.node_modules)
        name = self._manifest.document.file
        await self._step("codegen", work, (name, *self._ipfs))
        await self._step("build", work, (name, "--output-dir", f"{_OUTPUT}/"))
        return work / _OUTPUT

    async def _step(self, step: Step, work: Path, arguments: Sequence[str]) -> None:
        command = Command(
            argv=(str(self._toolchain.gnd), step, *arguments),
            env={"NO_COLOR": "1"},
            working_dir=str(work),
        )
        lines = _Lines()
        succeeded: bool | None = None
        with anyio.move_on_after(_LIMIT_S):
            async with Process(command, backpressure=True) as process:
                async for event in process:
                    if isinstance(event, Output):
                        await self._tell(step, lines.add(event))
                succeeded = process.status is not None and process.status.is_success
        if succeeded is None:
            message = f"gnd {step} did not end within {_LIMIT_S:g} s"
            late = Problem(message=message, file=self._manifest.document.file)
            raise self._failed(step, (late,), lines)
        if not succeeded:
            raise self._failed(step, self._problems(lines), lines)

    async def _tell(self, step: Step, lines: Sequence[str]) -> None:
        for line in lines:
            message = read_step(line)
            if message is not None and self._on_progress is not None:
                await self._on_progress(BuildProgressed(step=step, message=message))

    def _problems(self, lines: _Lines) -> tuple[Problem, ...]:
        schema = (self._manifest.schema or "schema.graphql").removeprefix("./")
        manifest = self._manifest.document.file
        return failing(read_problems(lines.errors, manifest=manifest, schema=schema))

    def _failed(self, step: Step, problems: Sequence[Problem], lines: _Lines) -> BuildFailed:
        return BuildFailed(
            directory=str(self._manifest.directory),
            step=step,
            problems=problems,
            output=lines.everything,
        )


class _Lines:
    """Cuts a tool's output into lines, and keeps it."""

    def __init__(self) -> None:
        self._kept = dict.fromkeys(StreamName, b"")
        self._open = b""
        self._all = b""

    def add(self, output: Output) -> list[str]:
        """Take more of it; return the lines of the usual output that are whole now."""
        self._all += output.data
        self._kept[output.stream] += output.data
        if output.stream is StreamName.STDERR:
            return []
        *whole, self._open = (self._open + output.data).split(b"\n")
        return [line.decode("utf-8", "replace") for line in whole]

    @property
    def errors(self) -> str:
        """All of the error output."""
        return self._kept[StreamName.STDERR].decode("utf-8", "replace")

    @property
    def everything(self) -> str:
        """Both outputs, as they came."""
        return self._all.decode("utf-8", "replace")
