"""A hash of every table's rows that does not depend on their order, and every sequence's position.

Two databases hold the same data exactly when their hashes are equal: after a restore, on a replica, after a
move. The database computes them, so no row crosses the network. Left out are temporary tables (a session's
own, gone with it) and the parents of partitions (they hold no rows; their partitions are hashed).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection, sql

#: Row texts are the same whatever the session's or the server's settings are.
_SETTINGS: Final = (
    "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601'; "
    "SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'"
)
_TABLES: Final = """
    SELECT n.nspname, c.relname, array_agg(a.attname::text ORDER BY a.attname)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind = 'r' AND c.relpersistence <> 't'
      AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
    GROUP BY 1, 2 ORDER BY 1, 2
"""
_SEQUENCES: Final = """
    SELECT schemaname, sequencename FROM pg_sequences
    WHERE schemaname NOT LIKE 'pg\\_%' ORDER BY 1, 2
"""
#: Both halves of each row's MD5 as signed numbers, summed: the order of rows does not matter, and a row that
#: stands twice counts twice.
_HASH: Final = """
    SELECT count(*), md5(concat_ws(' ', count(*), sum(('x' || left(h, 16))::bit(64)::bigint::numeric),
                                   sum(('x' || right(h, 16))::bit(64)::bigint::numeric)))
    FROM (SELECT md5(ROW({columns})::text) AS h FROM {table}) AS hashed
"""


@dataclass(frozen=True, slots=True)
class TableHash:
    """Rows of a table and their hash."""

    rows: int
    hash: str


@dataclass(frozen=True, slots=True)
class RowHashes:
    """A database's content in short: tables by name, sequences by name with the last number they gave."""

    tables: dict[str, TableHash]
    sequences: dict[str, int]

    def to_dict(self) -> dict[str, Any]:
        return {
            "tables": {name: {"rows": one.rows, "hash": one.hash} for name, one in self.tables.items()},
            "sequences": self.sequences,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RowHashes:
        """What `to_dict` gave. Raises ValueError for anything else."""
        try:
            return cls(
                {
                    str(name): TableHash(int(one["rows"]), str(one["hash"]))
                    for name, one in values["tables"].items()
                },
                {str(name): int(position) for name, position in values["sequences"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"these are no row hashes: {error!r} is missing or malformed") from None


def hash_rows(connection: Connection[Any]) -> RowHashes:
    """Of the database behind this connection, all tables as of one moment.

    Call it in a transaction of isolation REPEATABLE READ: that snapshot is the moment. Positions of sequences
    belong to no snapshot and are those of now.
    """
    connection.execute(_SETTINGS)
    sequences = {}
    for schema, name in connection.execute(_SEQUENCES).fetchall():
        read = sql.SQL("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}")
        row = connection.execute(read.format(sql.Identifier(schema, name))).fetchone()
        assert row is not None
        sequences[_name(schema, name)] = int(row[0])
    tables = {}
    for schema, name, columns in connection.execute(_TABLES).fetchall():
        query = sql.SQL(_HASH).format(
            columns=sql.SQL(", ").join(map(sql.Identifier, columns)), table=sql.Identifier(schema, name)
        )
        row = connection.execute(query).fetchone()
        assert row is not None
        tables[_name(schema, name)] = TableHash(int(row[0]), str(row[1]))
    return RowHashes(tables, sequences)


def _name(schema: str, name: str) -> str:
    return name if schema == "public" else f"{schema}.{name}"


def differences(expected: RowHashes, found: RowHashes) -> list[str]:
    """One line for each table that differs and for each sequence that is behind; empty where all is equal.

    A sequence may be ahead: a dump of a running service reads positions later than rows, and numbers left
    out harm nothing, whereas a sequence behind gives out keys that rows have already.
    """
    lines = []
    for name in sorted(expected.tables.keys() | found.tables.keys()):
        wanted, there = expected.tables.get(name), found.tables.get(name)
        if there is None:
            lines.append(f"{name}: missing")
        elif wanted is None:
            lines.append(f"{name}: not expected, {there.rows} rows")
        elif wanted != there:
            counted = (
                f"{there.rows} rows in place of {wanted.rows}"
                if there.rows != wanted.rows
                else "rows that differ"
            )
            lines.append(f"{name}: {counted}")
    for name, position in sorted(expected.sequences.items()):
        at = found.sequences.get(name)
        if at is None:
            lines.append(f"{name}: sequence missing")
        elif at < position:
            lines.append(f"{name}: sequence at {at}, behind {position}")
    return lines
