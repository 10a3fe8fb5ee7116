"""Work on a connection, in a thread, with an end: psycopg has no way of its own for both backends.

A connection is opened for each piece of work, which takes two milliseconds on one machine, and
closed after it: none is left that would keep a database from being dropped. Work that is cancelled
is cancelled on the server, too, and its thread ends: the socket is closed under it.

Source: psycopg 3, PostgreSQL's error codes (appendix A).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import anyio
from anyio import to_thread

from graph_test_daemon.errors import Unreachable

from .errors import DatabaseError, DatabaseInUse, DatabaseMissing

if TYPE_CHECKING:
    import psycopg

__all__ = ["PORT", "Address", "identifier", "literal", "perform"]

T = TypeVar("T")

_CONNECT_S = 5
_CANCEL_S = 2.0
_AFTER_LIMIT_S = 5.0
PORT = 5432
_MISSING, _IN_USE = "3D000", "55006"
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a database is, and as whom to come.

    Attributes:
        host: of the server; likewise the port.
        user: of the server, not of this machine.
        password: or None.
        database: of the server.
        options: more of libpq's, such as `sslmode`.
    """

    host: str
    port: int = PORT
    user: str = "postgres"
    password: str | None = field(default=None, repr=False)
    database: str = "postgres"
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read a URL such as `postgresql://user:password@host:5432/database`, or libpq's words.

        Raises:
            DatabaseError: it is neither.
        """
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict

        try:
            found = {k: str(v) for k, v in conninfo_to_dict(url).items() if v is not None}
            port = int(found.pop("port", PORT))
        except (ProgrammingError, ValueError) as error:
            # What it says repeats the text, which may hold a password.
            raise DatabaseError(
                what="read the address of a database",
                cause="it is neither postgresql://USER@HOST:PORT/NAME nor host=HOST dbname=NAME …",
            ) from error
        return cls(
            host=found.pop("host", "127.0.0.1"),
            port=port,
            user=found.pop("user", "postgres"),
            password=found.pop("password", None),
            database=found.pop("dbname", "postgres"),
            options=found,
        )

    @property
    def url(self) -> str:
        """The address for people, without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"postgresql://{self.user}@{host}:{self.port}/{self.database}"

    def of(self, database: str | None) -> Self:
        """Return the address of another database of the server; None: of this one."""
        return self if database is None else replace(self, database=database)

    def connect(self) -> psycopg.Connection:
        """Connect, in this thread."""
        import psycopg
        from psycopg.conninfo import make_conninfo

        words = {
            "host": self.host,
            "port": str(self.port),
            "user": self.user,
            "password": self.password,
            "dbname": self.database,
            "connect_timeout": str(_CONNECT_S),
            "application_name": "graph-test-daemon",
            **self.options,
        }
        given = {name: value for name, value in words.items() if value is not None}
        return psycopg.connect(make_conninfo(**given), autocommit=True)


async def perform(
    address: Address,
    work: Callable[[psycopg.Connection], T],
    *,
    what: str,
    timeout_s: float,
    home: str = "postgres",
) -> T:
    """Do something on a connection of its own, in a thread, and return what it returns.

    Args:
        address: of the database.
        work: gets the connection, which commits each statement.
        what: it does, for messages: `create the database "x"`.
        timeout_s: how long each statement may take.
        home: a database that is always there, to find out why another cannot be reached.

    Raises:
        Unreachable: the server does not answer.
        DatabaseMissing: there is no such database.
        DatabaseInUse: it has sessions that are in the way.
        DatabaseError: the server refused.
    """
    job = _Job(address, work, what=what, timeout_s=timeout_s, home=home)
    try:
        with anyio.fail_after(_CONNECT_S * 2 + timeout_s + _AFTER_LIMIT_S):
            return await _cancellable(job)
    except TimeoutError as error:
        cause = f"no answer within {timeout_s:g} s"
        raise Unreachable(url=address.url, cause=cause) from error


async def _cancellable(job: _Job[T]) -> T:
    try:
        return await to_thread.run_sync(job.run, abandon_on_cancel=True)
    except anyio.get_cancelled_exc_class():
        with anyio.CancelScope(shield=True):
            await to_thread.run_sync(job.abort)
        raise


class _Job(Generic[T]):
    """One piece of work; `abort` comes from another thread than `run`."""

    def __init__(
        self,
        address: Address,
        work: Callable[[psycopg.Connection], T],
        *,
        what: str,
        timeout_s: float,
        home: str,
    ) -> None:
        self._address = address
        self._work = work
        self._what = what
        self._timeout_s = timeout_s
        self._home = home
        self._connection: psycopg.Connection | None = None
        self._socket: socket.socket | None = None
        self._is_aborted = False

    def run(self) -> T:
        with (
            _mapped(self._what, self._address.database),
            self._connected() as connection,
            self._watched(connection),
        ):
            connection.execute(f"SET statement_timeout = {int(self._timeout_s * 1000)}".encode())
            return self._work(connection)

    def abort(self) -> None:
        """Have the server stop, then this end: whatever the server does, the thread goes on."""
        self._is_aborted = True
        connection, sock = self._connection, self._socket
        if connection is None or sock is None:
            return
        with suppress(Exception):  # it is over already, or nobody answers
            connection.cancel_safe(timeout=_CANCEL_S)
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    def _connected(self) -> psycopg.Connection:
        import psycopg

        try:
            return self._address.connect()
        except psycopg.OperationalError as error:
            raise self._why(error) from error

    @contextmanager
    def _watched(self, connection: psycopg.Connection) -> Iterator[None]:
        # A socket object of its own: the number of the connection's may be another file's later.
        self._socket = socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._connection = connection
            if self._is_aborted:
                raise Unreachable(url=self._address.url, cause="it was given up")
            yield
        finally:
            self._connection = None
            self._socket.close()

    def _why(self, error: Exception) -> Exception:
        """Return why there is no connection: the server itself tells only in its own language."""
        unreachable = Unreachable(url=self._address.url, cause=_one_line(error))
        name = self._address.database
        if name == self._home:
            return unreachable
        import psycopg

        try:
            with self._address.of(self._home).connect() as home:
                asked = "SELECT datname, datallowconn FROM pg_database"
                known: dict[str, bool] = dict(home.execute(asked).fetchall())
        except psycopg.Error:
            return unreachable
        if name not in known:
            return DatabaseMissing.of(what=self._what, name=name, known=known)
        if not known[name]:
            return DatabaseError(
                what=self._what,
                cause=f'"{name}" takes no connections now: it is a template, or being copied',
                sqlstate="55000",
            )
        return unreachable


@contextmanager
def _mapped(what: str, database: str) -> Iterator[None]:
    """Say in our own words what psycopg raises."""
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        diagnosis = error.diag
        cause = diagnosis.message_primary or _one_line(error)
        if error.sqlstate == _MISSING:
            quoted = re.search(r'"(.+)"', cause)
            name = quoted[1] if quoted else database
            raise DatabaseMissing(what=what, name=name) from error
        if error.sqlstate == _IN_USE:
            quoted = re.search(r'"(.+)"', cause)
            count = _NUMBER.search(diagnosis.message_detail or "")
            raise DatabaseInUse(
                what=what,
                name=quoted[1] if quoted else database,
                sessions=int(count[0]) if count else 1,
            ) from error
        position = diagnosis.statement_position
        raise DatabaseError(
            what=what,
            cause=f"{cause}: {diagnosis.message_detail}" if diagnosis.message_detail else cause,
            sqlstate=error.sqlstate,
            position=int(position) if position else None,
            hint=diagnosis.message_hint,
        ) from error


def identifier(name: str) -> str:
    """Return a name as SQL has it, quoted."""
    from psycopg import sql

    return sql.Identifier(name).as_string()


def literal(value: Any) -> str:
    """Return a value as SQL has it, quoted."""
    from psycopg import sql

    return sql.Literal(value).as_string()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
