"""`harness completion`: the script that teaches a shell to complete this program's words."""

from __future__ import annotations

import click

from .commands import Command, session_command
from .session import Session

__all__ = ["completion"]


@click.command(
    cls=Command,
    examples=(
        "completion bash >> ~/.bashrc",
        'completion zsh > "${fpath[1]}/_harness"',
        "completion fish > ~/.config/fish/completions/harness.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@session_command
def completion(session: Session, *, shell: str) -> None:
    """Print a completion script.

    It completes commands, options, and the names of services and tasks.
    """
    from click.shell_completion import ShellComplete, get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"this version of click knows no shell {shell}")
    root = click.get_current_context().find_root().command
    # The base class's method: bash's own would run a bash to see its version.
    script = ShellComplete.source(kind(root, {}, "harness", "_HARNESS_COMPLETE"))
    session.out.lines([script])
