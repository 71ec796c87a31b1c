"""Marks of writes: the table, and the functions by which triggers fill it."""

from django.db import migrations, models

# A mark of a statement. The first mark of a kind in a transaction also folds what many others have left into
# one row, past rows that another transaction is folding (nobody waits), and only where a row that has gone in
# the meantime is passed over and no error.
PUT = """
CREATE FUNCTION catalog_mark_put(of_kind text, of_subject bigint) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
    mine text := of_kind || ':' || of_subject || ';';
    seen text := COALESCE(current_setting('atlas.marked', true), '');
BEGIN
    INSERT INTO catalog_factmark (kind, subject, value)
    VALUES (of_kind, of_subject, hashtextextended(gen_random_uuid()::text, 0));
    IF strpos(seen, mine) > 0 OR current_setting('transaction_isolation') <> 'read committed' THEN
        RETURN;
    END IF;
    PERFORM set_config('atlas.marked', seen || mine, true);
    IF (SELECT count(*) FROM (
            SELECT FROM catalog_factmark WHERE kind = of_kind AND subject = of_subject LIMIT 24
        ) AS few) < 24 THEN
        RETURN;
    END IF;
    WITH held AS (
        SELECT id FROM catalog_factmark WHERE kind = of_kind AND subject = of_subject
        FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM catalog_factmark WHERE id IN (SELECT id FROM held) RETURNING value
    )
    INSERT INTO catalog_factmark (kind, subject, value)
    SELECT of_kind, of_subject, bit_xor(value) FROM gone HAVING count(*) > 0;
END $$
"""

# Statement triggers with the kind as their argument; a statement that changes nothing leaves no mark.
INSERTED = """
CREATE FUNCTION catalog_mark_inserted() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM new_rows) THEN PERFORM catalog_mark_put(TG_ARGV[0], 0); END IF;
    RETURN NULL;
END $$
"""
UPDATED = """
CREATE FUNCTION catalog_mark_updated() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_rows n LEFT JOIN old_rows o USING (id) WHERE n IS DISTINCT FROM o
    ) THEN PERFORM catalog_mark_put(TG_ARGV[0], 0); END IF;
    RETURN NULL;
END $$
"""
DELETED = """
CREATE FUNCTION catalog_mark_deleted() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM old_rows) THEN PERFORM catalog_mark_put(TG_ARGV[0], 0); END IF;
    RETURN NULL;
END $$
"""
TRUNCATED = """
CREATE FUNCTION catalog_mark_truncated() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM catalog_mark_put(TG_ARGV[0], 0);
    RETURN NULL;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("catalog", "0002_history_triggers")]

    operations = [
        migrations.CreateModel(
            name="FactMark",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(help_text="the table written to", max_length=63)),
                (
                    "subject",
                    models.BigIntegerField(
                        help_text="the language model whose rows were written, 0 for the table"
                    ),
                ),
                ("value", models.BigIntegerField()),
            ],
            options={
                "ordering": ["pk"],
                "indexes": [models.Index(fields=["kind", "subject"], name="catalog_factmark_kind")],
            },
        ),
        migrations.RunSQL(PUT, "DROP FUNCTION catalog_mark_put(text, bigint)"),
        migrations.RunSQL(INSERTED, "DROP FUNCTION catalog_mark_inserted()"),
        migrations.RunSQL(UPDATED, "DROP FUNCTION catalog_mark_updated()"),
        migrations.RunSQL(DELETED, "DROP FUNCTION catalog_mark_deleted()"),
        migrations.RunSQL(TRUNCATED, "DROP FUNCTION catalog_mark_truncated()"),
    ]
