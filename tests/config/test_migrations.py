"""Migrations beside a running service: their SQL is looked through, and they wait for no lock for long."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.db.migrations import Migration
from django.db.utils import OperationalError

from config import backup, migration_lint
from config.management.commands.migrate import Command, migrate


@pytest.mark.parametrize(
    ("sql", "rule"),
    [
        ('CREATE INDEX "slow" ON "estimates_estimate" ("tier");', "require-concurrent-index-creation"),
        ('ALTER TABLE "estimates_estimate" ADD COLUMN "fact" integer NOT NULL;', "adding-required-field"),
        ('ALTER TABLE "estimates_estimate" DROP COLUMN "tier";', "ban-drop-column"),
        ('ALTER TABLE "estimates_estimate" RENAME COLUMN "tier" TO "level";', "renaming-column"),
        ('ALTER TABLE "estimates_estimate" ALTER COLUMN "tier" TYPE bigint;', "changing-column-type"),
        (
            'ALTER TABLE "estimates_estimate" ADD CONSTRAINT "c" CHECK ("tier" > 0);',
            "constraint-missing-not-valid",
        ),
    ],
)
def test_sql_that_locks_or_breaks_the_older_code_is_found(sql: str, rule: str) -> None:
    assert [complaint.split(": ")[1] for complaint in migration_lint.complaints(sql)] == [rule]


def test_a_table_made_in_the_same_migration_is_nobodys_yet() -> None:
    sql = 'CREATE TABLE "new" ("id" bigint);\nALTER TABLE "new" ADD COLUMN "fact" bigint NOT NULL;'
    assert migration_lint.complaints(sql) == []
    assert migration_lint.complaints(sql.splitlines()[1]) != []


def test_every_migration_after_the_first_release_is_looked_through() -> None:
    found = migration_lint.linted_migrations()
    assert ("estimates", "0002_tier") in found
    assert {application for application, _ in found} <= {"catalog", "estimates", "access"}
    assert not migration_lint.FIRST_INSTALLATION & set(found)
    assert set(migration_lint.ALLOWED) <= set(found)


@pytest.mark.django_db(transaction=True)
def test_a_migration_gives_way_to_readers_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader holds the table for the first try; the second gets it, for the reader ends in between."""
    reader = backup.connect()
    reader.execute("SELECT FROM catalog_workload")  # in a transaction: its lock stays
    tries: list[str] = []

    class Adding(Migration):
        atomic = True

    def one_try(command: Command, *args: object, **options: object) -> None:
        command.verbosity = 0
        command.migration_progress_callback("apply_start", Adding("one", "catalog"))
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('lock_timeout')")
            tries.append(cursor.fetchone()[0])
            if len(tries) == 2:
                reader.close()
            cursor.execute("LOCK TABLE catalog_workload IN ACCESS EXCLUSIVE MODE")

    def in_a_transaction(command: Command, *args: object, **options: object) -> None:
        from django.db import transaction

        with transaction.atomic():
            one_try(command, *args, **options)

    monkeypatch.setattr(migrate.Command, "handle", in_a_transaction)
    monkeypatch.setattr("config.management.commands.migrate.PAUSE_SECONDS", 0)
    said = StringIO()
    try:
        call_command(Command(stderr=said), lock_timeout=0.1, verbosity=0, skip_checks=True)
    finally:
        reader.close()
    assert tries == ["100ms", "100ms"]
    assert "a table was in use" in said.getvalue()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        assert cursor.fetchone() == ("0",)


@pytest.mark.django_db(transaction=True)
def test_a_lock_that_is_never_free_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from psycopg.errors import LockNotAvailable

    def never(command: Command, *args: object, **options: object) -> None:
        raise OperationalError("canceling statement due to lock timeout") from LockNotAvailable()

    monkeypatch.setattr(migrate.Command, "handle", never)
    monkeypatch.setattr("config.management.commands.migrate.PAUSE_SECONDS", 0)
    with pytest.raises(CommandError, match=r"no lock in 3 tries of 0.1 s; nothing is half done"):
        call_command(Command(stderr=StringIO()), lock_timeout=0.1, tries=3, verbosity=0, skip_checks=True)
