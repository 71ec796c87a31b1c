import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("catalog", "0004_mark_triggers"),
    ]

    operations = [
        pgtrigger.migrations.AddTrigger(
            model_name="accelerator",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_version",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."version" < (OLD."version"))',
                    func="NEW.version = OLD.version; NEW.changed_at = OLD.changed_at; RETURN NEW;",
                    hash="458a015b0f0ea78b84d3cb72a4786edc055332e3",
                    operation="UPDATE",
                    pgid="pgtrigger_keep_version_c91c8",
                    table="catalog_accelerator",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="languagemodel",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_version",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."version" < (OLD."version"))',
                    func="NEW.version = OLD.version; NEW.changed_at = OLD.changed_at; RETURN NEW;",
                    hash="380502b5fa7c11360469b7c7bbbd448de17cce54",
                    operation="UPDATE",
                    pgid="pgtrigger_keep_version_85981",
                    table="catalog_languagemodel",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="system",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_version",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."version" < (OLD."version"))',
                    func="NEW.version = OLD.version; NEW.changed_at = OLD.changed_at; RETURN NEW;",
                    hash="05a45ab159316255adeb7467a9c3bd478e72120e",
                    operation="UPDATE",
                    pgid="pgtrigger_keep_version_d5d4f",
                    table="catalog_system",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="vendor",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_version",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."version" < (OLD."version"))',
                    func="NEW.version = OLD.version; NEW.changed_at = OLD.changed_at; RETURN NEW;",
                    hash="da4b3a518b1a10cfde91b880aa7cc97dadfd6fa3",
                    operation="UPDATE",
                    pgid="pgtrigger_keep_version_d9f34",
                    table="catalog_vendor",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="workload",
            trigger=pgtrigger.compiler.Trigger(
                name="keep_version",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (NEW."version" < (OLD."version"))',
                    func="NEW.version = OLD.version; NEW.changed_at = OLD.changed_at; RETURN NEW;",
                    hash="a817543e8ad9181374a0c37fab15c2a5eb876e2c",
                    operation="UPDATE",
                    pgid="pgtrigger_keep_version_6fedc",
                    table="catalog_workload",
                    when="BEFORE",
                ),
            ),
        ),
    ]
