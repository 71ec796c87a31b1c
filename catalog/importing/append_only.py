"""Writes append-only rows: one COPY, new keys inserted, known ones left alone, links mended."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pgtrigger
from django.db import connection, models
from psycopg import sql

from catalog.importing.kinds import Counts

#: So many new rows are told to the planner at once; autovacuum would do so a minute later.
MANY = 1000


def append_missing(
    model: type[models.Model],
    key: str,
    rows: Sequence[Mapping[str, Any]],
    links: Collection[str] = (),
) -> Counts:
    """Insert the rows whose `key` the table does not have yet; every row gives the same database columns.

    `links` are foreign-key columns that say which catalogue row a printed name means. What was observed stays
    as it is, but this is our reading of it: when a file or an alias comes to name another row, the link of a
    known row follows (`changed`), past the append-only trigger. Must run inside a transaction.
    """
    if not rows:
        return Counts()
    table = sql.Identifier(model._meta.db_table)
    incoming = sql.Identifier(f"incoming_{model._meta.model_name}")
    columns = list(rows[0])
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with connection.cursor() as cursor:

        def run(query: sql.Composed) -> None:
            # As text: what notes the context of a change puts its own words before the statement.
            cursor.execute(query.as_string(connection.connection))

        run(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                incoming, names, table
            )
        )
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(incoming, names)) as copy:
            for row in rows:
                copy.write_row([row[column] for column in columns])
        run(sql.SQL("ANALYZE {}").format(incoming))
        changed = 0
        for link in links:
            with pgtrigger.ignore(f"{model._meta.label}:append_only"):
                run(
                    sql.SQL(
                        "UPDATE {table} SET {link} = incoming.{link} FROM {incoming} incoming "
                        "WHERE {table}.{key} = incoming.{key} "
                        "AND {table}.{link} IS DISTINCT FROM incoming.{link}"
                    ).format(
                        table=table, link=sql.Identifier(link), key=sql.Identifier(key), incoming=incoming
                    )
                )
            changed += cursor.rowcount
        run(
            sql.SQL(
                "INSERT INTO {table} ({names}) SELECT {names} FROM {incoming} incoming WHERE NOT EXISTS "
                "(SELECT FROM {table} known WHERE known.{key} = incoming.{key}) "
                "ON CONFLICT ({key}) DO NOTHING"
            ).format(table=table, names=names, incoming=incoming, key=sql.Identifier(key))
        )
        added = cursor.rowcount
        run(sql.SQL("DROP TABLE {}").format(incoming))
        if added >= MANY:
            run(sql.SQL("ANALYZE {}").format(table))
    return Counts(added=added, changed=changed, unchanged=len(rows) - added - changed)
