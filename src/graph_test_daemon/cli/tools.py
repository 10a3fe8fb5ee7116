"""`tools`: what the stack's programs are, where they are, and how to get them."""

from __future__ import annotations

from pathlib import Path

import click

from graph_test_daemon.errors import ToolsMissing
from graph_test_daemon.tools import TOOLS, find_tool, install_tools, tools_dir
from harness.cli import Command, Group, Session, async_command


@click.group(cls=Group, examples=("tools install", "tools list", "tools check"))
def tools() -> None:
    """Get the programs that the stack runs: chain, database, node, compiler, contracts."""


@tools.command(cls=Command, examples=("tools install", "tools install --into .tools/graph"))
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Directory; found again when GRAPH_TEST_TOOLS names it.",
)
@async_command
async def install(session: Session, *, into: Path | None) -> None:
    """Install them from npm, in the versions that they were tested with; needs no root."""
    directory = await install_tools(into)
    session.out.lines([str(directory)])


@tools.command("list", cls=Command, examples=("tools list",))
@async_command
async def list_(session: Session) -> None:
    """Show what each is, and where; exits with 0 whatever is missing."""
    rows = []
    for tool in TOOLS.values():
        found = find_tool(tool.name, missing_ok=True)
        rows.append(
            {
                "name": tool.name,
                "what": tool.what,
                "path": str(found) if found is not None else None,
                "from": "npm" if found is not None and tools_dir() in found.parents else None,
            }
        )
    if session.out.json:
        session.out.document({"tools": rows})
        return
    session.out.lines(f"{row['name']:<10}  {row['path'] or 'missing'}" for row in rows)
    missing = [row["name"] for row in rows if row["path"] is None]
    if missing:
        count = f"{len(missing)} of {len(rows)} {'is' if len(missing) == 1 else 'are'} missing"
        session.out.note(f"{count}; `graph-test-daemon tools install` gets all")


@tools.command(cls=Command, examples=("tools check || graph-test-daemon tools install",))
@async_command
async def check(session: Session) -> None:
    """Exit with 1 if any is missing, for scripts."""
    missing = [name for name in TOOLS if find_tool(name, missing_ok=True) is None]
    if missing:
        raise ToolsMissing(names=missing)
    if session.out.json:
        session.out.document({"missing": missing})
