"""Triggers of the histories added, and of versions that follow everything that an estimate reads.

Each in a moment of its own: a trigger waits for the writes under way and lets readers pass, and one that
cannot be added within the limit ends the migration, which is then begun again.
"""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("catalog", "0002_history")]

    operations = [
        migrations.RunSQL("SET lock_timeout = '5s'", "SET lock_timeout = '5s'"),
        # In one statement in the database, so that no write slips between the old trigger and the new.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                pgtrigger.migrations.RemoveTrigger(
                    model_name="accelerator",
                    name="bump_version",
                )
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="accelerator",
            trigger=pgtrigger.compiler.Trigger(
                name="bump_version",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."confidence" IS DISTINCT FROM (NEW."confidence") OR OLD."family" IS DISTINCT FROM (NEW."family") OR OLD."form_factor" IS DISTINCT FROM (NEW."form_factor") OR OLD."generation" IS DISTINCT FROM (NEW."generation") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."launch_price_usd" IS DISTINCT FROM (NEW."launch_price_usd") OR OLD."memory_bandwidth_gbs" IS DISTINCT FROM (NEW."memory_bandwidth_gbs") OR OLD."memory_bytes" IS DISTINCT FROM (NEW."memory_bytes") OR OLD."memory_gb" IS DISTINCT FROM (NEW."memory_gb") OR OLD."memory_is_sram" IS DISTINCT FROM (NEW."memory_is_sram") OR OLD."memory_type" IS DISTINCT FROM (NEW."memory_type") OR OLD."memory_usable_gb" IS DISTINCT FROM (NEW."memory_usable_gb") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."notes" IS DISTINCT FROM (NEW."notes") OR OLD."pcie_generation" IS DISTINCT FROM (NEW."pcie_generation") OR OLD."process_node" IS DISTINCT FROM (NEW."process_node") OR OLD."release_date" IS DISTINCT FROM (NEW."release_date") OR OLD."segment" IS DISTINCT FROM (NEW."segment") OR OLD."shares_memory_with_host" IS DISTINCT FROM (NEW."shares_memory_with_host") OR OLD."slug" IS DISTINCT FROM (NEW."slug") OR OLD."status" IS DISTINCT FROM (NEW."status") OR OLD."tdp_w" IS DISTINCT FROM (NEW."tdp_w") OR OLD."vendor_id" IS DISTINCT FROM (NEW."vendor_id"))',
                    func="IF NEW.notes IS NOT DISTINCT FROM OLD.notes OR to_jsonb(NEW) - '{version,changed_at,notes}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{version,changed_at,notes}'::text[] THEN NEW.version = OLD.version + 1; END IF; NEW.changed_at = clock_timestamp(); RETURN NEW;",
                    hash="6ef21eef850cc959c37805324b632168798d5bd4",
                    operation="UPDATE",
                    pgid="pgtrigger_bump_version_0e316",
                    table="catalog_accelerator",
                    when="BEFORE",
                ),
            ),
        ),
        # In one statement in the database, so that no write slips between the old trigger and the new.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                pgtrigger.migrations.RemoveTrigger(
                    model_name="figure",
                    name="touch_accelerator_update",
                )
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="figure",
            trigger=pgtrigger.compiler.Trigger(
                name="touch_accelerator_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE id IN (SELECT unnest(ARRAY[n.accelerator_id, o.accelerator_id]) FROM new_rows n JOIN old_rows o USING (id) WHERE (n.accepted OR o.accepted) AND (n.accelerator_id, n.quantity, n.accepted, n.kind) IS DISTINCT FROM (o.accelerator_id, o.quantity, o.accepted, o.kind)); RETURN NULL;",
                    hash="12d144f4dea1849944836c0af6a05a3b5351bdfb",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_touch_accelerator_update_0dd14",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="catalog_figure",
                    when="AFTER",
                ),
            ),
        ),
        # In one statement in the database, so that no write slips between the old trigger and the new.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                pgtrigger.migrations.RemoveTrigger(
                    model_name="languagemodel",
                    name="bump_version",
                )
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="languagemodel",
            trigger=pgtrigger.compiler.Trigger(
                name="bump_version",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."architecture" IS DISTINCT FROM (NEW."architecture") OR OLD."attention_kind" IS DISTINCT FROM (NEW."attention_kind") OR OLD."confidence" IS DISTINCT FROM (NEW."confidence") OR OLD."family" IS DISTINCT FROM (NEW."family") OR OLD."hf_id" IS DISTINCT FROM (NEW."hf_id") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."indexer_elements" IS DISTINCT FROM (NEW."indexer_elements") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."kv_fixed_bytes" IS DISTINCT FROM (NEW."kv_fixed_bytes") OR OLD."kv_growing_elements" IS DISTINCT FROM (NEW."kv_growing_elements") OR OLD."kv_window_elements" IS DISTINCT FROM (NEW."kv_window_elements") OR OLD."licence" IS DISTINCT FROM (NEW."licence") OR OLD."max_context" IS DISTINCT FROM (NEW."max_context") OR OLD."name" IS DISTINCT FROM (NEW."name") OR OLD."native_format" IS DISTINCT FROM (NEW."native_format") OR OLD."notes" IS DISTINCT FROM (NEW."notes") OR OLD."parameters_active" IS DISTINCT FROM (NEW."parameters_active") OR OLD."parameters_active_without_embedding" IS DISTINCT FROM (NEW."parameters_active_without_embedding") OR OLD."parameters_mtp" IS DISTINCT FROM (NEW."parameters_mtp") OR OLD."parameters_total" IS DISTINCT FROM (NEW."parameters_total") OR OLD."published_active_parameters" IS DISTINCT FROM (NEW."published_active_parameters") OR OLD."published_parameters" IS DISTINCT FROM (NEW."published_parameters") OR OLD."publisher_id" IS DISTINCT FROM (NEW."publisher_id") OR OLD."quantisation" IS DISTINCT FROM (NEW."quantisation") OR OLD."release_date" IS DISTINCT FROM (NEW."release_date") OR OLD."role" IS DISTINCT FROM (NEW."role") OR OLD."slug" IS DISTINCT FROM (NEW."slug"))',
                    func="IF NEW.notes IS NOT DISTINCT FROM OLD.notes OR to_jsonb(NEW) - '{version,changed_at,notes}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{version,changed_at,notes}'::text[] THEN NEW.version = OLD.version + 1; END IF; NEW.changed_at = clock_timestamp(); RETURN NEW;",
                    hash="22c020850754ea5c758d81911cfbceeb57d4301e",
                    operation="UPDATE",
                    pgid="pgtrigger_bump_version_5bb8b",
                    table="catalog_languagemodel",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="measuredvalue",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_measuredvalueevent" ("id", "metric", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "run_id") SELECT new_values."id", new_values."metric", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."run_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="79d4796d6a636391ac0f158f2bb9af0419285aea",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_096a6",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="catalog_measuredvalue",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="measuredvalue",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_measuredvalueevent" ("id", "metric", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "run_id") SELECT new_values."id", new_values."metric", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."run_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."metric" IS DISTINCT FROM (new_values."metric") OR old_values."run_id" IS DISTINCT FROM (new_values."run_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="6949f7acbeb6bad81347c820bf4da0463d9edbed",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_e9ab8",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="catalog_measuredvalue",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="measuredvalue",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_measuredvalueevent" ("id", "metric", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "run_id") SELECT old_values."id", old_values."metric", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."run_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="f6fbc53f5bc9571f232754cc65b5052590a9a5cf",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_e8335",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="catalog_measuredvalue",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="measurementrun",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_measurementrunevent" ("accelerator_id", "id", "language_model_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "run_id") SELECT new_values."accelerator_id", new_values."id", new_values."language_model_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."run_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="397f3d5aad4898ae7ddbe8425b613f713aabef6f",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_d94cc",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="catalog_measurementrun",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="measurementrun",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_measurementrunevent" ("accelerator_id", "id", "language_model_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "run_id") SELECT new_values."accelerator_id", new_values."id", new_values."language_model_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."run_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."accelerator_id" IS DISTINCT FROM (new_values."accelerator_id") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."language_model_id" IS DISTINCT FROM (new_values."language_model_id") OR old_values."run_id" IS DISTINCT FROM (new_values."run_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="adf95509dd412ca8545dc9efe3a7b7aa1fec133b",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_cb8eb",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="catalog_measurementrun",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="measurementrun",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_measurementrunevent" ("accelerator_id", "id", "language_model_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "run_id") SELECT old_values."accelerator_id", old_values."id", old_values."language_model_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."run_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="24a5a4673cb78b5fe25233bef52ec904087c7b72",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_6efc7",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="catalog_measurementrun",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="modelalias",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_modelaliasevent" ("id", "language_model_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "same_architecture_only") SELECT new_values."id", new_values."language_model_id", new_values."name", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."same_architecture_only" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="5eeea5b37e1a784f08742cf9692d578d72827526",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_fd331",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="catalog_modelalias",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="modelalias",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_modelaliasevent" ("id", "language_model_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "same_architecture_only") SELECT new_values."id", new_values."language_model_id", new_values."name", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."same_architecture_only" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="2cd4b384638d3a7bb1e5a11deb2022b2426d1526",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_162cf",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="catalog_modelalias",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="modelalias",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_modelaliasevent" ("id", "language_model_id", "name", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "same_architecture_only") SELECT old_values."id", old_values."language_model_id", old_values."name", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."same_architecture_only" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="817713c8b12afdd723bd773a2feda87559819ce8",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_b1232",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="catalog_modelalias",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="offer",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_offerevent" ("accelerator_id", "count", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "retired", "scale_out_gbs", "scale_up_domain", "scale_up_gbs", "slug") SELECT new_values."accelerator_id", new_values."count", new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."retired", new_values."scale_out_gbs", new_values."scale_up_domain", new_values."scale_up_gbs", new_values."slug" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="0049e275ddfeafaf2c1c8a993985739f013a72cf",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_31907",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="catalog_offer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="offer",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_offerevent" ("accelerator_id", "count", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "retired", "scale_out_gbs", "scale_up_domain", "scale_up_gbs", "slug") SELECT new_values."accelerator_id", new_values."count", new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."retired", new_values."scale_out_gbs", new_values."scale_up_domain", new_values."scale_up_gbs", new_values."slug" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="3946120ef279a14d1b09f0d6e7cb310a5db8e815",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_5a434",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="catalog_offer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="offer",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_offerevent" ("accelerator_id", "count", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "retired", "scale_out_gbs", "scale_up_domain", "scale_up_gbs", "slug") SELECT old_values."accelerator_id", old_values."count", old_values."id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."retired", old_values."scale_out_gbs", old_values."scale_up_domain", old_values."scale_up_gbs", old_values."slug" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="1717b0975f675559347a345711bbc1209c880ff9",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_709a3",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="catalog_offer",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pricequote",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_pricequoteevent" ("accelerator_id", "id", "key", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."accelerator_id", new_values."id", new_values."key", _pgh_attached_context.value, NOW(), \'insert\', new_values."id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="a8a7dee5f96f31265e09d544f50f1aaef27eee32",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_44b6c",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="catalog_pricequote",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pricequote",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_pricequoteevent" ("accelerator_id", "id", "key", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."accelerator_id", new_values."id", new_values."key", _pgh_attached_context.value, NOW(), \'update\', new_values."id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."accelerator_id" IS DISTINCT FROM (new_values."accelerator_id") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."key" IS DISTINCT FROM (new_values."key")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="2c944ec564ee0833ddaada8a517ea837b64735ad",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_636f1",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="catalog_pricequote",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="pricequote",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_pricequoteevent" ("accelerator_id", "id", "key", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."accelerator_id", old_values."id", old_values."key", _pgh_attached_context.value, NOW(), \'delete\', old_values."id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="c84bc36668193ca538536808c6b411d3df20a1c2",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_69285",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="catalog_pricequote",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="purchaseprice",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_purchasepriceevent" ("accelerator_id", "id", "key", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."accelerator_id", new_values."id", new_values."key", _pgh_attached_context.value, NOW(), \'insert\', new_values."id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="da84b2d60c111aac6005a847aa774265505af2b9",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_361e7",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="catalog_purchaseprice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="purchaseprice",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_purchasepriceevent" ("accelerator_id", "id", "key", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."accelerator_id", new_values."id", new_values."key", _pgh_attached_context.value, NOW(), \'update\', new_values."id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."accelerator_id" IS DISTINCT FROM (new_values."accelerator_id") OR old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."key" IS DISTINCT FROM (new_values."key")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="32b147810ba9cfd2c572e48f6358a97295d8b8ba",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_46ee9",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="catalog_purchaseprice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="purchaseprice",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_purchasepriceevent" ("accelerator_id", "id", "key", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."accelerator_id", old_values."id", old_values."key", _pgh_attached_context.value, NOW(), \'delete\', old_values."id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="1e68cd191cdb93c3ff394dfcdbf5bf35ab4b1a1b",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ea775",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="catalog_purchaseprice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tokenprice",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_tokenpriceevent" ("id", "key", "language_model_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."id", new_values."key", new_values."language_model_id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="38026dd08f6b4ca2c0e3daa3fa8ab24e8cc45a27",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_35829",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="catalog_tokenprice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tokenprice",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_tokenpriceevent" ("id", "key", "language_model_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT new_values."id", new_values."key", new_values."language_model_id", _pgh_attached_context.value, NOW(), \'update\', new_values."id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values."id" IS DISTINCT FROM (new_values."id") OR old_values."key" IS DISTINCT FROM (new_values."key") OR old_values."language_model_id" IS DISTINCT FROM (new_values."language_model_id")) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="0188f5929edf62f226aa1b819b3fe57723914f59",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_dfe1b",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="catalog_tokenprice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="tokenprice",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_tokenpriceevent" ("id", "key", "language_model_id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") SELECT old_values."id", old_values."key", old_values."language_model_id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="ef7efdd49ce90538ed5f8fa2b1cfca0ec647c02b",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_cd7bd",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="catalog_tokenprice",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="vendor",
            trigger=pgtrigger.compiler.Trigger(
                name="touch_accelerators",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="UPDATE catalog_accelerator SET version = version + 1, changed_at = clock_timestamp() WHERE vendor_id IN (SELECT id FROM new_rows EXCEPT SELECT n.id FROM new_rows n JOIN old_rows o ON n.id = o.id AND n.slug = o.slug); RETURN NULL;",
                    hash="c5912a44074149700a67750604c8ced1793144c0",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_touch_accelerators_9331e",
                    referencing="REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ",
                    table="catalog_vendor",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="furthersource",
            trigger=pgtrigger.compiler.Trigger(
                name="insert_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_furthersourceevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publishedclaim_id", "source_id") SELECT new_values."id", _pgh_attached_context.value, NOW(), \'insert\', new_values."id", new_values."publishedclaim_id", new_values."source_id" FROM ( SELECT new_values.* FROM new_values  ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="f791e79cc52414c243c9c2bd43cf84bcd1660b3e",
                    level="STATEMENT",
                    operation="INSERT",
                    pgid="pgtrigger_insert_insert_8d3f4",
                    referencing="REFERENCING NEW TABLE AS new_values ",
                    table="catalog_publishedclaim_further_sources",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="furthersource",
            trigger=pgtrigger.compiler.Trigger(
                name="update_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_furthersourceevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publishedclaim_id", "source_id") SELECT new_values."id", _pgh_attached_context.value, NOW(), \'update\', new_values."id", new_values."publishedclaim_id", new_values."source_id" FROM ( SELECT new_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS new_values, _pgh_attached_context; RETURN NULL;',
                    hash="0ff12e33fba4caaac4221ef489523225c48916d3",
                    level="STATEMENT",
                    operation="UPDATE",
                    pgid="pgtrigger_update_update_34a36",
                    referencing="REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ",
                    table="catalog_publishedclaim_further_sources",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="furthersource",
            trigger=pgtrigger.compiler.Trigger(
                name="delete_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "catalog_furthersourceevent" ("id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "publishedclaim_id", "source_id") SELECT old_values."id", _pgh_attached_context.value, NOW(), \'delete\', old_values."id", old_values."publishedclaim_id", old_values."source_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;',
                    hash="8f50bef496cc3c841b40837e3dd247e389d56508",
                    level="STATEMENT",
                    operation="DELETE",
                    pgid="pgtrigger_delete_delete_ae46d",
                    referencing="REFERENCING OLD TABLE AS old_values ",
                    table="catalog_publishedclaim_further_sources",
                    when="AFTER",
                ),
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "RESET lock_timeout"),
    ]
