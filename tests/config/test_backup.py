"""A backup restored into an empty server holds the same rows, serves and goes on."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from catalog.models import Accelerator, LanguageModel, Vendor
from config import backup, embedded, postgres_client
from config.row_hashes import RowHashes, TableHash, differences
from estimates.models import Estimate
from estimates.staleness import stale_calculations
from estimates.sweeper import sweep
from tests.estimates.conftest import build

#: What a process of the restored service says of itself, in JSON.
ON_THE_RESTORED = """
import json
from django.db import connection
from django.test import Client
from catalog.models import Accelerator, Vendor
from estimates.staleness import stale_calculations
from estimates.sweeper import sweep
said = {"stale": stale_calculations().count()}
answer = Client().get("/api/v1/estimates", {"model": "llama-3.1-8b-instruct", "workload": "chat"})
said["status"], said["count"] = answer.status_code, len(answer.json()["results"])
said["new_key"] = Vendor.objects.create(slug="made-after", name="Made after").pk
Accelerator.objects.filter(slug="nvidia-l40s").update(memory_bandwidth_gbs=900)
said["version"] = Accelerator.objects.get(slug="nvidia-l40s").version
said["stale_after_an_edit"] = stale_calculations().count()
sweep()
said["stale_at_last"] = stale_calculations().count()
print("said", json.dumps(said))
"""


@pytest.fixture
def empty_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The environment of a second installation: its own directory, where no server has been started yet."""
    local = tmp_path / "restored"
    environment = {**os.environ, "ATLAS_LOCAL_DIR": str(local), "DATABASE_NAME": "restored"}
    for name in ("DATABASE_URL", "TEST_DATABASE_NAME", embedded.MANAGED):
        environment.pop(name, None)
    yield environment
    monkeypatch.setenv("ATLAS_LOCAL_DIR", str(local))
    embedded.stop_valkey()
    embedded.stop_postgres()


def manage(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.django_db(transaction=True)
def test_a_backup_restored_into_an_empty_server_serves_and_goes_on(
    tmp_path: Path, empty_server: dict[str, str]
) -> None:
    tiny = build()
    Accelerator.objects.filter(pk=tiny.l40s.pk).update(memory_bandwidth_gbs=870)  # some history, version 2
    sweep()
    assert stale_calculations().count() == 0
    version = Accelerator.objects.get(pk=tiny.l40s.pk).version
    expected = Estimate.objects.filter(
        language_model__slug="llama-3.1-8b-instruct", workload__slug="chat", objective=2
    ).count()
    assert expected
    last_key = Vendor.objects.order_by("pk").last().pk  # type: ignore[union-attr]
    dump = tmp_path / "atlas.dump"

    call_command("backup", str(dump))
    assert dump.stat().st_mode & 0o077 == 0  # it holds hashes of passwords and tokens
    restored = manage(empty_server, "restore", str(dump))
    assert restored.returncode == 0, restored.stderr
    assert "every table's rows are those of the backup" in restored.stdout

    again = manage(empty_server, "restore", str(dump))
    assert (again.returncode, again.stdout) == (1, "")
    assert "Database restored is not empty" in again.stderr
    assert len(again.stderr.strip().splitlines()) == 1

    asked = manage(empty_server, "shell", "--no-imports", "--command", ON_THE_RESTORED)
    assert asked.returncode == 0, asked.stderr
    said = json.loads(next(line for line in asked.stdout.splitlines() if line.startswith("said "))[5:])
    assert said["stale"] == 0
    assert (said["status"], said["count"]) == (200, expected)
    assert said["new_key"] == last_key + 1  # the sequence went on where it stood
    assert said["version"] == version + 1  # the triggers came along
    assert said["stale_after_an_edit"] == LanguageModel.objects.count()  # of every model on that accelerator
    assert said["stale_at_last"] == 0

    compared = manage(empty_server, "row_hashes", "--compare", str(backup.hashes_file(dump)))
    assert compared.returncode == 1
    assert "catalog_vendor: 2 rows in place of 1" in compared.stdout
    assert "catalog_accelerator: rows that differ" in compared.stdout
    assert "catalog_languagemodel" not in compared.stdout


@pytest.mark.django_db
def test_hashes_do_not_depend_on_the_order_of_rows_and_find_one_that_differs() -> None:
    tiny = build()

    def hashes() -> RowHashes:
        from config.row_hashes import hash_rows

        with connection.cursor() as cursor:
            found = hash_rows(cursor.connection)
        found.tables.pop("catalog_factmark")  # every write leaves a mark, also a replay's
        found.sequences.pop("catalog_factmark_id_seq")
        return found

    before = hashes()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM catalog_workload ORDER BY id DESC")
        cursor.execute("SET session_replication_role = replica")  # rows move, no version does
        cursor.execute("DELETE FROM catalog_workload")
        cursor.execute("INSERT INTO catalog_workload SELECT * FROM kept")
        assert hashes() == before
        cursor.execute("UPDATE catalog_workload SET name = name || ' ' WHERE id = %s", [tiny.chat.pk])
        cursor.execute("SET session_replication_role = origin")
    assert differences(before, hashes()) == ["catalog_workload: rows that differ"]


def test_a_sequence_that_is_behind_is_a_difference_and_one_ahead_is_none() -> None:
    table = {"a": TableHash(1, "00")}
    assert differences(RowHashes(table, {"a_id_seq": 7}), RowHashes(table, {"a_id_seq": 9})) == []
    assert differences(RowHashes(table, {"a_id_seq": 7}), RowHashes(table, {"a_id_seq": 6})) == [
        "a_id_seq: sequence at 6, behind 7"
    ]


def test_tables_that_are_missing_or_new_are_differences() -> None:
    old, new = RowHashes({"a": TableHash(1, "00")}, {}), RowHashes({"b": TableHash(2, "11")}, {})
    assert differences(old, new) == ["a: missing", "b: not expected, 2 rows"]


@pytest.mark.django_db
def test_a_backup_never_overwrites_a_file(tmp_path: Path) -> None:
    existing = tmp_path / "kept.dump"
    existing.write_text("yesterday's")
    with pytest.raises(embedded.ServiceError, match="exists; name a new file"):
        backup.back_up(existing)
    assert existing.read_text() == "yesterday's"


@pytest.mark.django_db(transaction=True)
def test_a_dump_that_cannot_be_read_changes_nothing_and_says_so_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "broken.dump"
    broken.write_bytes(b"PGDMP and then nothing of use")
    name = str(connection.settings_dict["NAME"])
    with pytest.raises(embedded.ServiceError, match=r"^pg_restore ended with 1: .*") as refused:
        backup.restore(broken, replace=True)
    assert "\n" not in str(refused.value)
    with backup.connect(dbname="postgres") as own:
        found = {row[0] for row in own.execute("SELECT datname FROM pg_database").fetchall()}
    assert name in found
    assert f"{name}_restoring" not in found


@pytest.mark.django_db(transaction=True)
def test_a_restore_over_something_compares_first_and_keeps_what_it_replaces(tmp_path: Path) -> None:
    """On a database of its own: the row added after the backup is gone, and in what was kept it is not."""
    name = f"{connection.settings_dict['NAME']}_replaced"
    with backup.connect(dbname="postgres") as own:
        own.autocommit = True
        own.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        own.execute(f'CREATE DATABASE "{name}"')
    environment = {**os.environ, "DATABASE_NAME": name}
    dump = tmp_path / "one.dump"
    kept = ""
    try:
        with backup.connect(dbname=name) as own:
            own.execute("CREATE TABLE one (id int PRIMARY KEY)")
            own.execute("INSERT INTO one VALUES (1)")
        assert manage(environment, "backup", str(dump)).returncode == 0
        with backup.connect(dbname=name) as own:
            own.execute("INSERT INTO one VALUES (2)")
        done = manage(environment, "restore", "--replace", str(dump))
        assert done.returncode == 0, done.stderr
        kept = done.stdout.split("kept as ")[1].split()[0]
        for database, rows in ((name, 1), (kept, 2)):
            with backup.connect(dbname=database) as own:
                assert own.execute("SELECT count(*) FROM one").fetchone() == (rows,)
    finally:
        with backup.connect(dbname="postgres") as own:
            own.autocommit = True
            for database in filter(None, (name, kept)):
                own.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def test_a_program_of_another_version_is_named_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tmp_path / "pg_dump"
    older.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 15.18'\n")
    older.chmod(0o755)
    monkeypatch.setattr(postgres_client, "_candidates", lambda name: iter([older]))
    with pytest.raises(
        embedded.ServiceError,
        match=r"pg_dump of Postgres 18 is not installed \(.*pg_dump is version 15\): install Debian's "
        "postgresql-client-18",
    ):
        postgres_client.program("pg_dump")


def test_a_password_travels_in_the_environment_alone() -> None:
    parameters = {"host": "db", "dbname": "atlas", "password": "s3cret", "cursor_factory": object}
    conninfo, environment = postgres_client.address(parameters)
    assert conninfo == "host=db dbname=atlas"
    assert environment["PGPASSWORD"] == "s3cret"


def test_what_is_no_file_of_hashes_is_refused(tmp_path: Path) -> None:
    strange = tmp_path / "strange.json"
    strange.write_text('{"tables": {"a": 1}}')
    with pytest.raises(CommandError, match="these are no row hashes"):
        call_command("row_hashes", "--compare", str(strange))


def test_row_hashes_are_read_as_they_were_written() -> None:
    hashes = RowHashes({"a": TableHash(3, "0f")}, {"a_id_seq": 4})
    assert RowHashes.from_dict(hashes.to_dict()) == hashes


def test_a_connection_that_is_no_server_is_one_line(tmp_path: Path) -> None:
    environment = {**os.environ, "DATABASE_URL": f"postgres://atlas@/atlas?host={tmp_path}"}
    environment["ATLAS_ENV"] = "development"
    refused = manage(environment, "backup", str(tmp_path / "none.dump"))
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert "Database unavailable" in refused.stderr
    assert not (tmp_path / "none.dump").exists()
