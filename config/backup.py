"""Backup into one file with its row hashes beside it, and a restore that is compared with them.

The dump and the hashes are of one snapshot, so a backup of a running service can be checked row by row after
its restore, days later and on another server. `docs/operations.md` says what a backup does not cover.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
import psycopg
from django.db import connection
from psycopg import sql

from config import postgres_client
from config.embedded import ServiceError
from config.row_hashes import RowHashes, differences, hash_rows

HASHES_SUFFIX: Final = ".hashes.json"
#: Custom format can be restored in part; gzip is what every build of the programs can read.
_DUMP: Final = ("--format=custom", "--compress=gzip:6", "--no-owner", "--no-privileges")
_RESTORE: Final = ("--exit-on-error", "--no-owner", "--no-privileges")


@dataclass(frozen=True, slots=True)
class Report:
    """What a backup or a restore did."""

    database: str
    rows: int
    tables: int
    bytes: int
    seconds: float
    kept_as: str | None = None  # the database that the restored one replaced


def hashes_file(dump: Path) -> Path:
    """The row hashes that belong to a dump."""
    return dump.with_name(dump.name + HASHES_SUFFIX)


def connect(**changed: Any) -> psycopg.Connection[Any]:
    """A connection of its own to the service's server; `dbname` names another of its databases."""
    connection.ensure_connection()  # starts the private server where that is the one
    conninfo, environment = postgres_client.address(connection.get_connection_params(), **changed)
    return psycopg.connect(conninfo, password=environment.get("PGPASSWORD"))


def hashes_of(**changed: Any) -> RowHashes:
    """The row hashes of the service's database, or of another on its server, as of one moment."""
    with connect(**changed) as own:
        own.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        own.read_only = True
        return hash_rows(own)


def back_up(path: Path) -> Report:
    """Dump the database into a new file and its row hashes beside it, both of one snapshot.

    Written under other names first, so that a file of this name is always whole. Raises ServiceError: the
    file exists, its directory does not, `pg_dump` is missing or fails.
    """
    began = time.monotonic()
    if path.exists():
        raise ServiceError(f"{path} exists; name a new file, or remove it first.")
    if not path.parent.is_dir():
        raise ServiceError(f"{path.parent} is no directory.")
    partial = path.with_name(f".{path.name}.partial")
    conninfo, environment = _address()
    try:
        partial.touch(mode=0o600)  # a dump holds hashes of passwords and of tokens
        with connect() as own:
            own.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            row = own.execute("SELECT pg_export_snapshot(), current_database()").fetchone()
            assert row is not None
            hashes = hash_rows(own)
            arguments = [*_DUMP, f"--snapshot={row[0]}", f"--file={partial}", f"--dbname={conninfo}"]
            postgres_client.run("pg_dump", arguments, environment)
        beside = hashes_file(partial)
        beside.write_bytes(orjson.dumps(hashes.to_dict(), option=orjson.OPT_INDENT_2))
        os.replace(beside, hashes_file(path))
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return _report(str(row[1]), hashes, path, began)


def restore(path: Path, *, replace: bool = False) -> Report:
    """Restore a dump into the service's database, which must be empty, and compare the rows with its hashes.

    `replace` restores beside a database that is not empty, compares, and only then exchanges the two: the
    old one is kept under another name. Raises ServiceError: no such file, not empty, `pg_restore` is missing
    or fails, or the rows are not those of the backup (nothing has been exchanged then).
    """
    began = time.monotonic()
    expected = _expected(path)
    connection.ensure_connection()
    name = str(connection.get_connection_params()["dbname"])
    if not replace:
        if found := _relations():
            raise ServiceError(
                f"Database {name} is not empty ({found} tables and sequences). Restore into an empty one, or "
                "give --replace to restore beside it and exchange the two."
            )
        return _report(name, _restore_into(name, path, expected), path, began)
    beside, kept = f"{name}_restoring", f"{name}_before_{time.strftime('%Y%m%d%H%M%S', time.gmtime())}"
    connection.close()
    _on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", beside)
    _on_server("CREATE DATABASE {} TEMPLATE template0", beside)
    try:
        hashes = _restore_into(beside, path, expected)
    except ServiceError:
        _on_server("DROP DATABASE IF EXISTS {} WITH (FORCE)", beside)
        raise
    _exchange(name, beside, kept)
    return _report(name, hashes, path, began, kept)


def _expected(path: Path) -> RowHashes | None:
    """The hashes beside a dump; None where they were not kept."""
    if not path.is_file():
        raise ServiceError(f"{path} is no file.")
    try:
        return RowHashes.from_dict(orjson.loads(hashes_file(path).read_bytes()))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ServiceError(f"{hashes_file(path)}: {error}") from None


def _restore_into(name: str, path: Path, expected: RowHashes | None) -> RowHashes:
    """All of the dump or nothing; then statistics for the planner, then the comparison."""
    conninfo, environment = _address(dbname=name)
    arguments = [*_RESTORE, "--single-transaction", f"--dbname={conninfo}", str(path)]
    postgres_client.run("pg_restore", arguments, environment)
    with connect(dbname=name) as own:
        own.autocommit = True
        own.execute("ANALYZE")
    found = hashes_of(dbname=name)
    if expected is not None and (wrong := differences(expected, found)):
        raise ServiceError(f"{name} is not what was backed up: {'; '.join(wrong)}")
    return found


def _address(**changed: Any) -> tuple[str, dict[str, str]]:
    return postgres_client.address(connection.get_connection_params(), **changed)


def _relations() -> int:
    """Tables, views and sequences of the service's database, those of Postgres itself left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') "
            "AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
        )
        return int(cursor.fetchone()[0])


def _on_server(statement: str, *names: str) -> None:
    """Run a statement about databases from outside of them."""
    with connect(dbname="postgres") as own:
        own.autocommit = True
        own.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))  # type: ignore[arg-type]


def _exchange(name: str, beside: str, kept: str) -> None:
    """Give the restored database the name of the old one, whose connections end; both renames or none."""
    with connect(dbname="postgres") as own:
        own.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
        own.execute(rename.format(sql.Identifier(name), sql.Identifier(kept)))
        own.execute(rename.format(sql.Identifier(beside), sql.Identifier(name)))


def _report(name: str, hashes: RowHashes, path: Path, began: float, kept_as: str | None = None) -> Report:
    rows = sum(one.rows for one in hashes.tables.values())
    return Report(name, rows, len(hashes.tables), path.stat().st_size, time.monotonic() - began, kept_as)
