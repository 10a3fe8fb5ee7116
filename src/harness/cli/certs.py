"""`harness daemon certs`: the certificates by which daemon and clients know each other.

Works on the files in the state directory, whether a daemon runs or not. One that does looks at them
again for every connection, and is told of a change.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from .arguments import complete
from .commands import Command, Group, async_command, session_command
from .moments import clock_time
from .roles import role_option
from .session import Session
from .tables import table

if TYPE_CHECKING:
    from harness.access import Authority, CertificateFacts

__all__ = ["certs"]

_DAY_S = 86_400


@click.group(
    cls=Group,
    examples=(
        "daemon certs show",
        "daemon certs issue ci --role operator",
        "daemon certs revoke ci",
    ),
)
def certs() -> None:
    """Show, renew, issue and revoke certificates.

    They are made when a daemon first listens, and renewed by it before they expire.
    """


@certs.command(cls=Command, examples=("daemon certs show", "daemon certs show --ca > ca.pem"))
@click.option("--ca", is_flag=True, help="Print the authority, as PEM, for clients to trust.")
@session_command
def show(session: Session, *, ca: bool) -> None:
    """Show what the certificates are for, and until when."""
    authority = _authority(session)
    if ca:
        pem = authority.ca_pem()
        if session.out.json:
            session.out.document({"ca": pem})
        else:
            session.out.write(pem.encode())
        return
    facts = authority.facts()
    if session.out.json:
        session.out.document({name: _document(found) for name, found in facts.items()})
    elif facts:
        headers = ("CERTIFICATE", "UNTIL", "FOR", "SHA-256")
        rows = ([name, *_row(found)] for name, found in facts.items())
        session.out.lines(table(session.out, headers, rows))
    else:
        session.out.note("note: there are none; harness daemon start --listen makes them")


@certs.command(cls=Command, examples=("daemon certs rotate", "daemon certs rotate --ca"))
@click.option(
    "--ca", is_flag=True, help="Make the authority anew, too: all clients need the new one."
)
@async_command
async def rotate(session: Session, *, ca: bool) -> None:
    """Make the daemon's certificate anew; connections that are open go on.

    With --ca no certificate that was issued to a client lets anybody in any more, and the
    connections of those are ended.
    """
    _authority(session).rotate(authority=ca)
    await _tell_daemon(session)


async def _tell_daemon(session: Session) -> None:
    """Have a daemon that runs look at the certificates again."""
    from harness.errors import DaemonUnavailable

    try:
        async with session.connect(start=False) as client:
            remote = (await client.daemon.status())["remote"]
            if remote is not None and remote["url"]:
                await client.daemon.listen(host=remote["host"], port=remote["port"])
    except DaemonUnavailable as error:
        # One that does not run reads them when it starts.
        if not error.details.get("not_running"):
            raise


@certs.command(cls=Command, examples=("daemon certs revoke ci",))
@click.argument("name", shell_complete=complete("new_name"))
@async_command
async def revoke(session: Session, *, name: str) -> None:
    """Let a client's certificate in no more, and end its connections.

    That is every certificate that was issued to the name until now.
    """
    count = _authority(session).revoke(name)
    await _tell_daemon(session)
    if session.out.json:
        session.out.document({"name": name, "revoked": count})


@certs.command(
    cls=Command,
    examples=(
        "daemon certs issue ci --role operator",
        "daemon certs issue ci --role operator --days 7 --out ci.pem",
    ),
)
@click.argument("name", shell_complete=complete("new_name"))
@role_option
@click.option(
    "--days",
    type=click.FloatRange(min=0, min_open=True),
    default=365,
    show_default=True,
    help="It is valid for so long.",
)
@click.option("--out", type=click.Path(dir_okay=False), help="File to write.  [default: NAME.pem]")
@session_command
def issue(session: Session, *, name: str, role: str, days: float, out: str | None) -> None:
    """Make a certificate for a client, and write it and its key into a new file.

    Only you can read the file. Give it to `harness context add` as --cert.
    """
    from harness.access import Role
    from harness.errors import StorageError

    path = out or f"{name.replace(os.sep, '_')}.pem"
    text = _authority(session).issue(name, Role(role), lifetime_s=days * _DAY_S)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(text)
    except OSError as error:
        hint = "name another one with --out" if isinstance(error, FileExistsError) else None
        raise StorageError(
            f"cannot write {path}: {(error.strerror or str(error)).lower()}", hint=hint
        ) from error
    if session.out.json:
        session.out.document({"name": name, "role": role, "path": os.path.abspath(path)})
    else:
        session.out.lines([path])


def _authority(session: Session) -> Authority:
    from harness.access import Authority
    from harness.clock import SystemClock

    return Authority(session.endpoint().certificates_dir, SystemClock())


def _row(facts: CertificateFacts) -> list[str | None]:
    ends = clock_time(facts.not_after.isoformat())
    return [ends, ", ".join(facts.names) or None, facts.sha256[:16]]


def _document(facts: CertificateFacts) -> dict[str, Any]:
    return {
        "subject": facts.subject,
        "names": list(facts.names),
        "not_before": facts.not_before.isoformat(),
        "not_after": facts.not_after.isoformat(),
        "sha256": facts.sha256,
    }
