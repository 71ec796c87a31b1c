"""Triggers that leave a mark with each write to a table of facts that lists are answered from.

A table at a time and each in a moment of its own: adding a trigger waits for the writes under way and lets
readers pass. One that cannot be added within the limit ends the migration, which is then begun again.
"""

from django.db import migrations

TABLES = (
    "catalog_accelerator",
    "catalog_languagemodel",
    "catalog_modelalias",
    "catalog_offer",
    "catalog_pricequote",
    "catalog_provider",
    "catalog_source",
    "catalog_system",
    "catalog_tokenprice",
    "catalog_vendor",
    "catalog_workload",
)
EVENTS = (
    ("insert", "INSERT", "REFERENCING NEW TABLE AS new_rows", "inserted"),
    ("update", "UPDATE", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows", "updated"),
    ("delete", "DELETE", "REFERENCING OLD TABLE AS old_rows", "deleted"),
    ("truncate", "TRUNCATE", "", "truncated"),
)


def add(table: str) -> str:
    """Also where triggers are off for a replay (`session_replication_role`): ALWAYS."""
    return ";\n".join(
        [
            *(
                f"CREATE OR REPLACE TRIGGER mark_{name} AFTER {event} ON {table} {rows} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION catalog_mark_{function}('{table}')"
                for name, event, rows, function in EVENTS
            ),
            "ALTER TABLE {} {}".format(
                table, ", ".join(f"ENABLE ALWAYS TRIGGER mark_{name}" for name, *_ in EVENTS)
            ),
        ]
    )


def remove(table: str) -> str:
    return ";\n".join(f"DROP TRIGGER IF EXISTS mark_{name} ON {table}" for name, *_ in EVENTS)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0003_marks")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "SET lock_timeout = '5s'"),
        *(migrations.RunSQL(add(table), remove(table)) for table in TABLES),
        # A database that an older backup was restored into begins with marks of its own.
        *(
            migrations.RunSQL(f"SELECT catalog_mark_put('{table}', 0)", migrations.RunSQL.noop)
            for table in TABLES
        ),
        migrations.RunSQL("RESET lock_timeout", "RESET lock_timeout"),
    ]
