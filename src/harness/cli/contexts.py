"""`harness context`: names for daemons of other machines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click

from .arguments import complete
from .commands import Command, Group, session_command
from .session import Session
from .tables import table

__all__ = ["context"]

_ADD = "context add build wss://build.example:7443 --token-file ci.token --ca build-ca.pem"


@click.group(cls=Group, examples=(_ADD, "context use build", "context list"))
def context() -> None:
    """Name daemons of other machines, and choose one.

    `local` is the daemon of this machine, and is in use at first.
    """


@context.command(cls=Command, examples=(_ADD,))
@click.argument("name", shell_complete=complete("new_name"))
@click.argument("url", metavar="WSS://HOST:PORT", shell_complete=complete("new_name"))
@click.option("--token-file", type=click.Path(dir_okay=False), help="File with a token.")
@click.option("--ca", type=click.Path(dir_okay=False), help="File with the authority to trust.")
@click.option(
    "--cert", "certificate", type=click.Path(dir_okay=False), help="File with your certificate."
)
@click.option(
    "--key", type=click.Path(dir_okay=False), help="File with its key, where that is another one."
)
@session_command
def add(
    session: Session,
    *,
    name: str,
    url: str,
    token_file: str | None,
    ca: str | None,
    certificate: str | None,
    key: str | None,
) -> None:
    """Name a daemon.

    Give a token or a certificate. What is kept is where the files are, not what is in them.
    Without --ca those authorities are trusted that this machine trusts.
    """
    from harness.client import Context, Contexts

    if (token_file is None) == (certificate is None):
        raise click.UsageError("give either --token-file or --cert")
    if key is not None and certificate is None:
        raise click.UsageError("--key goes with --cert")
    paths = (token_file, ca, certificate, key)
    for path in paths:
        if path is not None and not os.path.isfile(path):
            session.out.note(f"note: there is no file {path} yet")
    places = (None if path is None else os.path.abspath(path) for path in paths)
    made = Context(url, *places)
    Contexts.of_user().add(name, made)
    for path in made.exposed():
        session.out.note(f"note: others may read {path}, which lets in; chmod 600 it")


@context.command("list", cls=Command, examples=("context list", "context list --json"))
@session_command
def list_(session: Session) -> None:
    """Show all contexts, and which one is in use."""
    from harness.client import LOCAL, Contexts

    contexts = Contexts.of_user()
    current = session.options.context or contexts.current
    rows: list[dict[str, Any]] = [{"name": LOCAL, "url": None, "in_use": current == LOCAL}]
    for name, found in contexts.all().items():
        rows.append({"name": name, "url": found.url, "in_use": name == current})
    if session.out.json:
        session.out.document(rows)
    else:
        session.out.lines(table(session.out, ("NAME", "IN USE", "URL"), map(_row, rows)))


@context.command(cls=Command, examples=("context show", "context show build --json"))
@click.argument("name", required=False, shell_complete=complete("contexts"))
@session_command
def show(session: Session, *, name: str | None) -> None:
    """Show a context, else the one in use; never what is in its files."""
    from harness.client import LOCAL, Contexts

    contexts = Contexts.of_user()
    name = name or session.context or LOCAL
    facts: dict[str, Any] = {"name": name, "url": None}
    if name != LOCAL:
        facts |= contexts.find(name)._asdict()
    if session.out.json:
        session.out.document(facts)
        return
    labels = {"token_file": "token file"}
    session.out.lines(
        f"{labels.get(key, key):<12}{value}" for key, value in facts.items() if value is not None
    )


@context.command(cls=Command, examples=("context use build", "context use local"))
@click.argument("name", shell_complete=complete("contexts"))
@session_command
def use(session: Session, *, name: str) -> None:
    """Ask this daemon from now on, where no other is named."""
    from harness.client import Contexts

    Contexts.of_user().use(name)


@context.command(cls=Command, examples=("context remove build",))
@click.argument("name", shell_complete=complete("contexts"))
@session_command
def remove(session: Session, *, name: str) -> None:
    """Forget a context; the files it names stay."""
    from harness.client import Contexts

    Contexts.of_user().remove(name)


def _row(row: Mapping[str, Any]) -> list[str | None]:
    return [row["name"], "yes" if row["in_use"] else None, row["url"]]
