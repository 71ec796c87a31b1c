"""The SQL of every migration since the first release, looked through by squawk: what locks, rewrites, breaks.

A migration runs while the older version's code reads and writes. The first migrations of each application are
an installation into an empty database and are left out.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import orjson
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from config.embedded import POSTGRES_MAJOR, ServiceError

#: Migrations of version 0.1.0: they made the tables, in an empty database.
FIRST_INSTALLATION: Final = frozenset(
    {("catalog", "0001_initial"), ("estimates", "0001_initial"), ("access", "0001_initial")}
)
#: Rules that no migration of the project has to keep, with the reason.
EXCLUDED: Final = {
    "prefer-bigint-over-int": "counts of chips and versions of rows stay far below 2^31",
    "prefer-bigint-over-smallint": "codes of a few choices, in tables where the width of a row counts",
    "prefer-text-field": "a longer varchar is a change of the catalogue alone since Postgres 9.2",
    "prefer-robust-stmts": "an atomic migration is undone whole; docs/operations.md has the others",
    "require-lock-timeout": "manage.py migrate sets lock_timeout for each atomic migration and tries again",
    "require-statement-timeout": "a statement that builds an index or fills a table may take its time",
}
#: Rules that one migration may break, with the reason.
ALLOWED: Final[dict[tuple[str, str], dict[str, str]]] = {}


def linted_migrations() -> list[tuple[str, str]]:
    """Application and name of each migration of the project after the first installation, in order."""
    own = {
        config.label
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(settings.BASE_DIR) and ".venv" not in Path(config.path).parts
    }
    known = MigrationLoader(None).disk_migrations
    return sorted(key for key in known if key[0] in own and key not in FIRST_INSTALLATION)


def sql_of(application: str, name: str) -> str:
    """What the migration runs, statement by statement, as `manage.py sqlmigrate` prints it.

    Not by that command: it takes a name for the beginning of others.
    """
    loader = MigrationLoader(connection, replace_migrations=False)
    migration = loader.graph.nodes[application, name]
    lines = loader.collect_sql([(migration, False)])
    return "\n".join(["BEGIN;", *lines, "COMMIT;"] if migration.atomic else lines)


def complaints(sql: str, allowed: dict[str, str] | None = None) -> list[str]:
    """What squawk has against this SQL: line, rule, message. Raises ServiceError where it is missing."""
    command = [
        _squawk(),
        "--reporter=json",
        f"--pg-version={POSTGRES_MAJOR}",
        f"--exclude={','.join(sorted(EXCLUDED | (allowed or {})))}",
        "--stdin-filepath=migration.sql",
    ]
    result = subprocess.run(command, input=sql, capture_output=True, text=True)
    if result.returncode not in (0, 1):
        raise ServiceError(f"squawk ended with {result.returncode}: {result.stderr.strip()[:300]}")
    found: list[dict[str, Any]] = orjson.loads(result.stdout or "[]")
    lines = sql.splitlines()
    made = set(re.findall(r'^CREATE TABLE "(\w+)"', sql, flags=re.MULTILINE))
    return [
        f"line {one['line'] + 1}: {one['rule_name']}: {one['message']}"
        for one in found
        if _altered(lines[one["line"]]) not in made
    ]


def _altered(line: str) -> str | None:
    """The table that a line alters: one made in the same migration is empty, and nobody knows it yet."""
    found = re.match(r'ALTER TABLE "(\w+)"', line)
    return found[1] if found else None


def _squawk() -> str:
    beside = Path(sys.executable).with_name("squawk")
    found = str(beside) if beside.exists() else shutil.which("squawk")
    if found is None:
        raise ServiceError("squawk is not installed: `make setup` installs it (package squawk-cli)")
    return found
