"""PostgreSQL: what can be asked of a server and done to it, and its typed actions."""

from .catalog import DatabaseInfo, Extension, Role
from .client import Database
from .copies import Copies, Copy
from .dumps import dump_database, load_database
from .errors import BackupMissing, DatabaseError, DatabaseInUse, DatabaseMissing
from .rows import Column, QueryResult
from .server import databases_of

__all__ = [
    "BackupMissing",
    "Column",
    "Copies",
    "Copy",
    "Database",
    "DatabaseError",
    "DatabaseInUse",
    "DatabaseInfo",
    "DatabaseMissing",
    "Extension",
    "QueryResult",
    "Role",
    "databases_of",
    "dump_database",
    "load_database",
]
