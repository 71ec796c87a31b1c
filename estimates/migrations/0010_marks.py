"""Triggers that leave a mark with each write to estimates and calculations, by the model they are of.

A calculation that is only claimed, or counted, changes no answer and leaves none.
"""

from django.db import migrations

EVERY = """
CREATE FUNCTION estimates_mark_{name}() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM catalog_mark_put(TG_ARGV[0], language_model_id)
    FROM (SELECT language_model_id FROM {rows}) AS models;
    RETURN NULL;
END $$
"""
BOTH = "new_rows UNION SELECT language_model_id FROM old_rows"
CALCULATED = """
CREATE FUNCTION estimates_mark_calculated() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM catalog_mark_put(TG_ARGV[0], language_model_id)
    FROM (
        SELECT n.language_model_id FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE
            (n.language_model_id, n.accelerator_id, n.state, n.model_version, n.accelerator_version,
             n.workloads_digest, n.method_version, n.calculated_at, n.attempts)
            IS DISTINCT FROM
            (o.language_model_id, o.accelerator_id, o.state, o.model_version, o.accelerator_version,
             o.workloads_digest, o.method_version, o.calculated_at, o.attempts)
        UNION
        SELECT o.language_model_id FROM new_rows n JOIN old_rows o USING (id)
        WHERE n.language_model_id <> o.language_model_id
    ) AS models;
    RETURN NULL;
END $$
"""
TABLES = (
    ("estimates_estimate", "estimates_mark_changed"),
    ("estimates_calculation", "estimates_mark_calculated"),
)


def add(table: str, changed: str) -> str:
    """As the catalogue's tables have them."""
    events = (
        ("insert", "INSERT", "REFERENCING NEW TABLE AS new_rows", "estimates_mark_new"),
        ("update", "UPDATE", "REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows", changed),
        ("delete", "DELETE", "REFERENCING OLD TABLE AS old_rows", "estimates_mark_old"),
        ("truncate", "TRUNCATE", "", "catalog_mark_truncated"),
    )
    return ";\n".join(
        [
            *(
                f"CREATE OR REPLACE TRIGGER mark_{name} AFTER {event} ON {table} {rows} "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {function}('{table}')"
                for name, event, rows, function in events
            ),
            "ALTER TABLE {} {}".format(
                table, ", ".join(f"ENABLE ALWAYS TRIGGER mark_{name}" for name, *_ in events)
            ),
        ]
    )


def remove(table: str) -> str:
    names = ("insert", "update", "delete", "truncate")
    return ";\n".join(f"DROP TRIGGER IF EXISTS mark_{name} ON {table}" for name in names)


def function(sql: str, name: str) -> migrations.RunSQL:
    """Made again where an attempt was broken off."""
    return migrations.RunSQL(
        sql.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"), f"DROP FUNCTION {name}()"
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0004_mark_triggers"), ("estimates", "0009_schedule")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "SET lock_timeout = '5s'"),
        function(EVERY.format(name="new", rows="new_rows GROUP BY 1"), "estimates_mark_new"),
        function(EVERY.format(name="old", rows="old_rows GROUP BY 1"), "estimates_mark_old"),
        function(EVERY.format(name="changed", rows=BOTH), "estimates_mark_changed"),
        function(CALCULATED, "estimates_mark_calculated"),
        *(migrations.RunSQL(add(table, changed), remove(table)) for table, changed in TABLES),
        *(
            migrations.RunSQL(f"SELECT catalog_mark_put('{table}', 0)", migrations.RunSQL.noop)
            for table, _ in TABLES
        ),
        migrations.RunSQL("RESET lock_timeout", "RESET lock_timeout"),
    ]
