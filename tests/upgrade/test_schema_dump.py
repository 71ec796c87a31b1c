"""An installation of version 0.1.0, restored from its schema, migrates to what the models describe today."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

DUMP = Path(__file__).with_name("schema-v0.1.0.sql")


def database(name: str) -> psycopg.Connection:
    """A connection of its own to another database of the server the tests run on."""
    parameters = connection.get_connection_params() | {"dbname": name}
    known = ("dbname", "host", "port", "user", "password")
    return psycopg.connect(autocommit=True, **{key: parameters[key] for key in known if key in parameters})


@pytest.fixture
def installation(db: None) -> Iterator[str]:
    """A database as version 0.1.0 left it."""
    name = f"{connection.settings_dict['NAME']}_v010"
    own = sql.Identifier(name)
    with database("postgres") as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(own))
        server.execute(sql.SQL("CREATE DATABASE {}").format(own))
        try:
            with database(name) as restored:
                restored.execute(DUMP.read_bytes())
            yield name
        finally:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(own))


def schema_of(name: str) -> set[tuple[str, ...]]:
    """Columns, indexes, constraints and triggers of a database, whatever their order."""
    queries = (
        "SELECT 'column', table_name, column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'public'",
        "SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        # A check is printed in other words once it has been dumped and restored: its name has to do.
        "SELECT 'constraint', conrelid::regclass::text, conname, "
        "CASE contype WHEN 'c' THEN '' ELSE pg_get_constraintdef(oid) END "
        "FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger "
        "WHERE NOT tgisinternal",
    )
    with database(name) as server:
        return {tuple(row) for query in queries for row in server.execute(query).fetchall()}


def test_it_migrates_to_the_schema_of_a_new_installation(installation: str) -> None:
    environment = os.environ | {"DATABASE_NAME": installation}
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "migrate", "--verbosity", "0"]
    migrated = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert migrated.returncode == 0, migrated.stderr
    assert schema_of(installation) == schema_of(str(connection.settings_dict["NAME"]))
